"""JSON exactly as upstream spells it; replies tolerate anything new."""
