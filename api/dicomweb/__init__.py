"""DICOMweb (PS3.18): the archive's services over HTTP."""
