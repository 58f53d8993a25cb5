"""CLIP's tokenizer, for networks that compare clips with texts."""
