"""Golden files: what people see, kept byte for byte."""
