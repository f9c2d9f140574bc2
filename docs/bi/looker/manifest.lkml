constant: connection { value: "bigquery" export: override_required }
constant: project { value: "PROJECT" export: override_required }
constant: dataset { value: "DATASET" export: override_required }
