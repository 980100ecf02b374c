"""What quantization costs a real language model, measured through the golden quantizers.

The modules that compute with the model need the extra ``m2xfp[accuracy]``; configurations,
statistics and tables do not.
"""
