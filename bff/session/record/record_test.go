package record_test

import (
	"bytes"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/record"
)

// FuzzDecode: what a good seal covers is decoded without a panic as well, whoever wrote
// it, and what is decoded is encoded to the same.
func FuzzDecode(f *testing.F) {
	f.Add((&record.Record{
		ID: "id", Subject: "ann", Provider: "id.example", User: []byte("{}"), Created: time.UnixMilli(1), Ends: time.UnixMilli(2),
		Credential: credential.New(map[string]credential.Secret{
			credential.AccessToken: credential.NewSecret("a.b.c"), credential.RefreshToken: credential.NewSecret("d"),
		}, time.UnixMilli(3), time.Time{}),
	}).Encode())
	f.Add([]byte{1, 1, 'x', 5, 1, 2, 8, 3, 1, 'n', 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := record.Decode(b)
		if err != nil {
			return
		}
		again := r.Encode()
		same, err := record.Decode(again)
		if err != nil || same.ID != r.ID || same.Subject != r.Subject || same.Provider != r.Provider || !bytes.Equal(same.User, r.User) ||
			same.Renewals != r.Renewals || !same.Created.Equal(r.Created) || !same.Ends.Equal(r.Ends) {
			t.Fatalf("%q became %q", b, again)
		}
		for name, value := range r.Credential.Values() {
			if same.Credential.Value(name).Reveal() != value.Reveal() {
				t.Fatalf("%q: value %q changed", b, name)
			}
		}
	})
}
