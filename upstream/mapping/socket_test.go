package mapping_test

import (
	"slices"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// TestMessageOfLists: {names} stand in the texts of lists, too, however deep, and what has
// no value is left out of them, as of objects.
func TestMessageOfLists(t *testing.T) {
	body := mapping.NewBody(map[string]any{"type": "auth", "args": []any{"Bearer {access_token}", "{refresh_token}", uint64(7), nil,
		map[string]any{"token": "{access_token}", "gone": "{refresh_token}"}, []any{"{access_token}"}, []any{"{refresh_token}"}}})
	if got, want := mapping.MessageNames(body), []string{"access_token", "refresh_token", "refresh_token", "access_token", "access_token", "refresh_token"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	person := credential.New(map[string]credential.Secret{"access_token": credential.NewSecret("ours")}, time.Time{}, time.Time{})
	send := mapping.NewSend(nil, nil, nil, body)
	const want = `{"args":["Bearer ours",7,null,{"token":"ours"},["ours"],[]],"n":1,"type":"auth"}`
	for _, sent := range []string{`{"n":1}`, `{"n":1,"args":["mine"]}`, `{"n":1,"args":{"token":"mine"},"Args":[]}`} {
		if out, ok := send.Message.Fill([]byte(sent), person, mapping.Caller{}); !ok || string(out) != want {
			t.Errorf("%s became %s, want %s", sent, out, want)
		}
	}
}
