"""tenfold: train, judge, understand and use handwritten-digit classifiers."""
