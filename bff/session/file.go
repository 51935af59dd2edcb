package session

import "errors"

func openFile(path string, o StoreOptions) (Store, error) {
	return nil, errors.New("session: file store is not built yet")
}
