"""How a result was made, as SLSA says it (slsa.dev, provenance v0.2 and v1; BuildKit, docs/attestations). Pure."""
