package upstreams

import (
	"coatcheck/configs/keypath"
)

// child and item are keypath's: nearly every line of a check names a path.
func child(path string, keys ...string) string { return keypath.Child(path, keys...) }

func item(path string, i int) string { return keypath.Item(path, i) }
