"""The contract: event structs, published Avro schemas, error kinds, dead letters and coders."""
