"""From a record to what people read. Nothing here judges: a report only repeats the record."""
