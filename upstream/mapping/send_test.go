package mapping_test

import (
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// TestAppendCostsNothing: what carries a person is written on every call, without an
// allocation.
func TestAppendCostsNothing(t *testing.T) {
	list := mapping.SortHeaders(map[string]mapping.Template{"Authorization": mapping.NewTemplate("Bearer {access_token}"), "Apikey": mapping.NewTemplate("K")})
	c := credential.New(map[string]credential.Secret{"access_token": credential.NewSecret("t")}, time.Time{}, time.Time{})
	room := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { room = list.Append(room[:0], c, mapping.Caller{}) }); n != 0 {
		t.Errorf("%v allocations for %q", n, room)
	}
}
