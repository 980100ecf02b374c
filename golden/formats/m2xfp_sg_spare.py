"""M2XFP-SG with the spare code: the same sizes, one more value (``docs/m2xfp_sg.md``)."""

from .m2xfp_sg import M2xfpSg

FORMAT = M2xfpSg(spare_code=True)
