"""Adapters, detectors, and networks for texts or sounds."""

from convert_weights.planning.families.family import Family, family

_NOT_CLASSIFIERS = (
  family(
    "an adapter (LoRA)",
    r"(lora_[AB](\..+)?|lora_(up|down|embedding_[AB])(\..+)?)(\.weight)?",
    instead="merge it into its network first, as peft's merge_and_unload does",
  ),
  family(
    "a detector",
    r"(rpn|roi_heads|bbox_head|rpn_head|roi_head|class_labels_classifier"
    r"|bbox_predictor|bbox_embed|box_predictor)\..+",
  ),
  family("a YOLO detector (ultralytics)", r"model\.\d+\.cv[12]\.conv\.weight"),
  family(
    "Segment Anything (SAM)",
    r"(image|vision)_encoder\.neck\..+",
    "mask_decoder.+",
  ),
)
_OTHER_MODALITIES = (
  family(
    "Whisper",
    r"(model\.)?encoder\.conv1\.weight",
    r"(model\.)?decoder\.embed_positions\.weight",
  ),
  family(
    "a network for sounds (wav2vec 2.0, AST)",
    r"feature_extractor\.conv_layers\..+|audio_spectrogram_transformer\..+",
  ),
  family(
    "a language model (BERT)",
    r"embeddings\.word_embeddings\.weight",
    absent=(r"(vision_model|visual.*|vision.*|image.*)\..+",),
  ),
  family(
    "a language model",
    r"(model\.embed_tokens|embed_tokens|wte|shared|embeddings\.word_embeddings"
    r"|tok_embeddings|word_embeddings)\.weight",
    absent=(r"(vision_model|visual.*|vision.*|image.*|text_model)\..+",),
  ),
)
FAMILIES: tuple[Family, ...] = (*_NOT_CLASSIFIERS, *_OTHER_MODALITIES)
