package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/memory"
)

func token(value string) *credential.Credential {
	return credential.New(map[string]credential.Secret{credential.AccessToken: credential.NewSecret(value)}, time.Time{}, time.Time{})
}

// A session begins with what the API gave, is found by its ticket, gets a new token, and
// ends.
func Example() {
	ctx := context.Background()
	m, err := session.NewManager(memory.Open(memory.Options{}), session.Options{
		Keys: []credential.Secret{credential.NewSecret("32 random bytes, from the config")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()

	ticket, s, err := m.Start(ctx, session.Start{Frontend: "shop", Subject: "ann", Credential: token("first"), RefreshAble: true})
	fmt.Println(ticket, s.Generation, err) // a ticket does not print

	s, err = m.Find(ctx, "shop", ticket)
	fmt.Println(s.Subject, s.Credential.Value(credential.AccessToken).Reveal(), err)

	s, err = m.Refresh(ctx, s, ticket, time.Second, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return token("second"), nil // ask the API
	})
	fmt.Println(s.Generation, s.Credential.Value(credential.AccessToken).Reveal(), err)

	if _, err := m.End(ctx, "shop", ticket, session.SignedOut); err != nil {
		fmt.Println(err)
	}
	_, err = m.Find(ctx, "shop", ticket)
	var ended session.EndedError
	fmt.Println(errors.As(err, &ended), ended.Reason)
	// Output:
	// [ticket] 1 <nil>
	// ann first <nil>
	// 2 second <nil>
	// true signed_out
}
