package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"coatcheck/bff/admin"
	"coatcheck/bff/credential"
	demoapi "coatcheck/upstream/demo"
)

// desk is where an operator of the demo works: Coatcheck's admin listener.
type desk struct {
	address string
	token   credential.Secret
}

// errNoDesk: keys made at run time need a store that keeps them.
var errNoDesk = errors.New("keys are made at run time only where the store is memory or Redis")

func (d desk) ask(ctx context.Context, method, path, body string) (*http.Response, error) {
	return ask(ctx, &http.Client{Transport: admin.Direct}, method, "http://"+d.address+"/admin/"+path, []byte(body),
		"Authorization", "Bearer "+d.token.Reveal(), "Content-Type", "application/json")
}

// issue makes a key for the spreadsheet. Error: [errNoDesk].
func (d desk) issue(ctx context.Context) (id, key string, err error) {
	answer, err := d.ask(ctx, http.MethodPost, "keys", `{"caller":"spreadsheet","label":"an old backup","expires_in":"1h"}`)
	if err != nil {
		return "", "", err
	}
	if answer.StatusCode != http.StatusCreated {
		return "", "", errNoDesk
	}
	var made struct{ ID, Key string }
	err = json.NewDecoder(answer.Body).Decode(&made)
	return made.ID, made.Key, err
}

func (d desk) revoke(ctx context.Context, id string) error {
	_, err := d.ask(ctx, http.MethodDelete, "keys/"+id, "")
	return err
}

// endSessions ends a person's sessions, as a program of the API's owner would.
func (d desk) endSessions(ctx context.Context, p demoapi.Person) error {
	answer, err := d.ask(ctx, http.MethodDelete, "sessions?"+url.Values{"frontend": {p.Frontend}, "subject": {p.ID}}.Encode(), "")
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the operators' interface answered %d", answer.StatusCode)
	}
	return err
}
