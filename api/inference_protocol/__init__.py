"""The Open Inference Protocol (KServe v2): tensors in, tensors out, at `/v2`."""
