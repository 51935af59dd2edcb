package account

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/session"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// reloadInterval is how often, at most, an API is asked who one session's person is.
const reloadInterval = 10 * time.Second

// readReload reads the body of POST /bff/session: none, or a JSON object that may say
// reload, and nothing else.
func readReload(c *call.Call) (bool, error) {
	if !c.In.HasBody() {
		return false, nil
	}
	if err := CheckBody(c.Request.Head); err != nil {
		return false, err
	}
	c.In.LimitBody(MaxBody)
	body, err := io.ReadAll(c.In)
	if err != nil {
		return false, gate.BodyError(err)
	}
	return parseReload(body)
}

func parseReload(body []byte) (bool, error) {
	var object map[string]json.RawMessage
	if _, ok := parseLogin(body); !ok || json.Unmarshal(body, &object) != nil {
		return false, badRequest(bodyFault(body))
	}
	value, there := object["reload"]
	text := string(value)
	switch {
	case len(object) > 1 || len(object) == 1 && !there:
		return false, badRequest("the body has other fields than reload")
	case there && text != "true" && text != "false":
		return false, badRequest("reload is neither true nor false")
	}
	return text == "true", nil
}

// reload asks the API who the person is now, where the mapping says how and nobody has
// asked within the last ten seconds. A failure is the call's: the session stays.
func (a *Account) reload(c *call.Call, who auth.Principal, s *session.Session) (*session.Session, error) {
	api := a.auth.API(c.Frontend())
	if !api.Ways.CanDescribe() || s.Provider != "" {
		return s, nil
	}
	ctx, cancel := call.Detached()
	defer cancel()
	if ok, err := a.manager.Once(ctx, s, "reload", reloadInterval); err != nil || !ok {
		return s, err
	}
	who.Session = s
	s, err := a.auth.Freshen(c, &who)
	if err != nil {
		return nil, err
	}
	in, err := a.describe(ctx, c, api, s)
	if errors.Is(err, signin.ErrTokenDead) {
		s, in, err = a.describeAgain(ctx, c, who, api, s)
	}
	if err != nil {
		return nil, err
	}
	return a.manager.Describe(ctx, s, who.Ticket(c), in.UserJSON())
}

// describe asks the API who the session's person is.
func (a *Account) describe(ctx context.Context, c *call.Call, api *signin.Upstream, s *session.Session) (*signin.SignedIn, error) {
	span, caller := c.Ask("user", api.Name())
	in, err := api.Ways.Describe(ctx, s.Credential, caller)
	span.Answered(0, err)
	if err == nil && !auth.SamePerson(in, s.Subject) {
		err = mapping.Invalid("user: the answer describes another person")
	}
	return in, err
}

// describeAgain asks once more with a new token, as a proxied call would be repeated.
func (a *Account) describeAgain(ctx context.Context, c *call.Call, who auth.Principal, api *signin.Upstream, s *session.Session) (*session.Session, *signin.SignedIn, error) {
	who.Session = s
	renewed, err := a.auth.RenewDead(c, &who)
	if err != nil {
		return nil, nil, err
	}
	if !renewed {
		return nil, nil, signin.ErrTokenDead
	}
	in, err := a.describe(ctx, c, api, who.Session)
	if errors.Is(err, signin.ErrTokenDead) {
		a.auth.NotHelped(&who)
	}
	return who.Session, in, err
}
