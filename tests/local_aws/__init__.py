"""The local AWS, and each correction of moto by the AWS API it follows."""
