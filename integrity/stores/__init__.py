"""What is kept between ticks, and where: state in SQLite or DynamoDB, records in a folder or S3."""
