"""What quantization costs a real language model, measured through the golden quantizers.

The modules that compute with the model need the extra ``m2xfp[accuracy]``; text fixtures, statistics
and reports do not.
"""
