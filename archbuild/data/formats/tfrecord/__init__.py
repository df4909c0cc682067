"""TFRecord: files of records, each a ``tf.train.Example``; read without TensorFlow."""
