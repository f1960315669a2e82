"""Where bytes come from: objects in S3, public keys, trails. What AWS answers becomes a value."""
