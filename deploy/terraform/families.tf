# What the files of the event families say. Only the exam is known by name.
locals {
  repo     = "${path.module}/../.."
  exams    = contains(var.event_families, "exam_event")
  families = "{${join(",", var.event_families)}}"

  contracts   = fileset(local.repo, "schemas/${local.families}/v*.avsc")
  fact_tables = [for path in fileset(local.repo, "ddl/${local.families}/tables/*_fact.sql") : trimsuffix(basename(path), ".sql")]
  # Fields, and those of records and of arrays of records: Terraform cannot go to any depth.
  fields = flatten([for path in local.contracts : jsondecode(file("${local.repo}/${path}")).fields])
  private_columns = toset(concat(
    [for field in local.fields : field.name if try(field.private, false)],
    flatten([
      for field in local.fields : [
        for inner in try(
          field.type.fields, field.type[1].fields, field.type.items.fields,
          field.type[1].items.fields, [],
        ) :
        "${field.name}.${inner.name}" if try(inner.private, false)
      ]
    ]),
  ))

  # Alternatives of a pattern for the counters of a family.
  of_any = join("|", concat(var.event_families, ["no_family"]))
}
