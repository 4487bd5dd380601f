"""Readers and writers: each wire format to the canon and back."""
