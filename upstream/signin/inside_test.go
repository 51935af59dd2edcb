package signin

import (
	"context"
	"net/http"
	"time"

	"coatcheck/upstream/mapping"
)

// ReadSignIn reads a response as u's sign-in reads it, but for steps and a user that is
// asked for: what the fuzz targets reach without a network in between.
func (u *Upstream) ReadSignIn(status int, header http.Header, body []byte, now time.Time) (*SignedIn, error) {
	a := mapping.NewResponse(status, header, body)
	next, err := u.Ways.login.Rules.Read(a, func(string) bool { return true })
	if err != nil || next != "" {
		return nil, err
	}
	return u.Ways.finish(context.Background(), u.Ways.login, u.Ways.login.Exchange, a, &mapping.Values{}, now)
}
