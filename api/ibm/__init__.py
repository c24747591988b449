"""The scoring API that code written for IBM Watson Machine Learning calls: docs/ibm-api.md."""
