"""How values are written where no template says: a package per language, as FORMAT_MODULE_PATH wants it."""
