package session

import (
	"time"

	"coatcheck/bff/credential"
)

// EncodeRecord and DecodeRecord let the fuzz tests reach what lies behind the
// seal.
func EncodeRecord(id, subject string, user []byte, c *credential.Credential) []byte {
	r := Record{ID: id, Subject: subject, User: user, Credential: c, Ends: time.UnixMilli(1)}
	return r.encode()
}

func DecodeRecord(b []byte) (id, subject string, user []byte, c *credential.Credential, ok bool) {
	r, err := decodeRecord(b)
	if err != nil {
		return "", "", nil, nil, false
	}
	return r.ID, r.Subject, r.User, r.Credential, true
}
