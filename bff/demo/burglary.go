package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// myCallback prepares a login CSRF (RFC 9700 §4.7): a way back of Mallory's own sign-in,
// for somebody else's browser.
func (b *burglar) myCallback(ctx context.Context) (finding, error) {
	me := b.somebody()
	_, authorize, err := goTo(ctx, me, b.at("admin")+"/bff/login?return_to=/")
	if err != nil {
		return finding{}, err
	}
	if authorize, err = b.wornOut(ctx, authorize); err != nil {
		return finding{}, err
	}
	address, err := b.signInThere(ctx, me, authorize, mallory.Email, mallory.Password)
	return finding{Address: address}, err
}

// wornOut is an attempt that cannot begin anew any more. One that comes back in another
// browser begins anew by itself, once, and would sign the victim in as herself.
func (b *burglar) wornOut(ctx context.Context, authorize string) (string, error) {
	var ids []string
	for range 10 {
		at, err := url.Parse(authorize)
		if err != nil {
			return "", err
		}
		back := url.Values{"state": {at.Query().Get("state")}, "code": {"none"}, "iss": {b.porter.issuer}}
		answer, next, err := goTo(ctx, b.client, b.at("admin")+"/bff/callback/porter?"+back.Encode())
		if err != nil {
			return "", err
		}
		if ids = append(ids, answer.Header.Get("X-Request-Id")); next == "" {
			break
		}
		authorize = next
	}
	return authorize, b.log.await(ctx, ids) // the page looks for its own call there
}

// replayedCallback sends a callback once more that was read along, cookie and all.
func (b *burglar) replayedCallback(ctx context.Context) (finding, error) {
	victim := b.somebody()
	address, err := b.wayBack(ctx, victim, hedy())
	if err != nil {
		return finding{}, err
	}
	at, err := url.Parse(address)
	if err != nil {
		return finding{}, err
	}
	overheard := cookies(victim.Jar.Cookies(at))
	hers, _, err := goTo(ctx, victim, address)
	if err != nil {
		return finding{}, err
	}
	mine, err := ask(ctx, b.client, http.MethodGet, address, nil, "Cookie", overheard)
	if err != nil {
		return finding{}, err
	}
	elsewhere, _, err := goTo(ctx, b.client, address)
	if err != nil {
		return finding{}, err
	}
	got := len(mine.Cookies()) > 0 || elsewhere.StatusCode < 300
	return finding{Refused: len(hers.Cookies()) > 0 && !got, Code: fmt.Sprintf("%d, but no ticket", mine.StatusCode),
		Evidence: fmt.Sprintf("Hedy: %d and a ticket. The same bytes once more, cookie and all: %d, no ticket. Without the cookie: %d, begun anew.",
			hers.StatusCode, mine.StatusCode, elsewhere.StatusCode)}, nil
}

func cookies(list []*http.Cookie) string {
	var pairs []string
	for _, c := range list {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// stolenCode takes a code before it is used: to the provider, with the client's secret,
// and to the back office, in an attempt of Mallory's own.
func (b *burglar) stolenCode(ctx context.Context) (finding, error) {
	direct, err := b.redeem(ctx)
	if err != nil {
		return finding{}, err
	}
	injected, err := b.inject(ctx)
	if err != nil {
		return finding{}, err
	}
	var said struct{ Error string }
	_ = json.NewDecoder(direct.Body).Decode(&said) // no JSON: nothing was said
	code := injected.Header.Get("Coatcheck-Error")
	return finding{Refused: direct.StatusCode >= 400 && injected.StatusCode >= 400 && len(injected.Cookies()) == 0, Code: fmt.Sprintf("%d %s", direct.StatusCode, said.Error),
		Evidence: fmt.Sprintf("At the provider, with the client’s secret, without the verifier: %d %s. Slipped into my own sign-in at the back office: %d %s.",
			direct.StatusCode, said.Error, injected.StatusCode, code)}, nil
}

// redeem tries a stolen code at the provider.
func (b *burglar) redeem(ctx context.Context) (*http.Response, error) {
	stolen, err := b.stolenWayBack(ctx)
	if err != nil {
		return nil, err
	}
	fields := url.Values{"grant_type": {"authorization_code"}, "code": {stolen.Get("code")}, "redirect_uri": {b.at("admin") + "/bff/callback/porter"},
		"client_id": {porterClient}, "client_secret": {b.porter.secret}}
	return ask(ctx, b.client, http.MethodPost, b.porter.issuer+"/token", []byte(fields.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// inject puts a stolen code into a sign-in of Mallory's own.
func (b *burglar) inject(ctx context.Context) (*http.Response, error) {
	stolen, err := b.stolenWayBack(ctx)
	if err != nil {
		return nil, err
	}
	me := b.somebody()
	address, err := b.wayBack(ctx, me, mallory)
	if err != nil {
		return nil, err
	}
	own, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	q := own.Query()
	q.Set("code", stolen.Get("code"))
	own.RawQuery = q.Encode()
	answer, _, err := goTo(ctx, me, own.String())
	return answer, err
}

func (b *burglar) stolenWayBack(ctx context.Context) (url.Values, error) {
	address, err := b.wayBack(ctx, b.somebody(), hedy())
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return at.Query(), nil
}

// pageKey hands the page the spreadsheet's key, which works, to be used in a browser.
func (b *burglar) pageKey(context.Context) (finding, error) {
	return finding{Key: b.prey.key.Secret.Reveal(), Address: b.prey.door + "/v1/orders"}, nil
}

// ticketAndKey sends Mallory's own ticket, a good one, and the stolen key together.
func (b *burglar) ticketAndKey(ctx context.Context) (finding, error) {
	me := b.somebody()
	login, _ := json.Marshal(map[string]string{"email": mallory.Email, "password": mallory.Password}) // text: cannot fail
	in, err := ask(ctx, me, http.MethodPost, b.at("shop")+"/bff/login", login, "Content-Type", "application/json", "X-CSRF", "1")
	if err != nil {
		return finding{}, err
	}
	answer, err := ask(ctx, me, http.MethodGet, b.at("shop")+"/v1/orders", nil, "X-Api-Key", b.prey.key.Secret.Reveal())
	if err != nil {
		return finding{}, err
	}
	return refusal(answer, fmt.Sprintf("My own ticket: %d, a good one. It and the key in one call:", in.StatusCode), in.StatusCode == http.StatusOK), nil
}

// refusal is a finding about the answer to a call that must be refused.
func refusal(answer *http.Response, before string, sound bool) finding {
	code := fmt.Sprintf("%d %s", answer.StatusCode, answer.Header.Get("Coatcheck-Error"))
	return finding{Refused: sound && answer.StatusCode >= 400, Code: code, Evidence: before + " " + code + "."}
}

// replayedEvent sends an event once more that was recorded, and one of yesterday.
func (b *burglar) replayedEvent(ctx context.Context) (finding, error) {
	e := b.prey.phone.sign(time.Now(), "+44 20 7946 0001")
	first, err := e.send(ctx, b.client, b.prey.door)
	if err != nil {
		return finding{}, err
	}
	second, err := e.send(ctx, b.client, b.prey.door)
	if err != nil {
		return finding{}, err
	}
	old, err := b.prey.phone.sign(time.Now().Add(-time.Hour), "+44 20 7946 0002").send(ctx, b.client, b.prey.door)
	if err != nil {
		return finding{}, err
	}
	duplicate := second.Header.Get("Coatcheck-Duplicate") == "true"
	return finding{Refused: first.StatusCode < 300 && duplicate && old.StatusCode == http.StatusUnauthorized, Code: fmt.Sprintf("%d duplicate", second.StatusCode),
		Evidence: fmt.Sprintf("The phone provider: %d. The same bytes again: %d, Coatcheck-Duplicate: %v, and the API heard nothing. A recording an hour old: %d %s.",
			first.StatusCode, second.StatusCode, duplicate, old.StatusCode, old.Header.Get("Coatcheck-Error"))}, nil
}

// changedEvent changes one number of a signed event.
func (b *burglar) changedEvent(ctx context.Context) (finding, error) {
	e := b.prey.phone.sign(time.Now(), "+44 20 7946 0003")
	e.body = []byte(strings.Replace(string(e.body), "7946 0003", "7946 6666", 1))
	answer, err := e.send(ctx, b.client, b.prey.door)
	if err != nil {
		return finding{}, err
	}
	return refusal(answer, "My number in the place of the caller’s, all else as it was signed:", true), nil
}

// revokedKey uses a key that worked until a moment ago.
func (b *burglar) revokedKey(ctx context.Context) (finding, error) {
	id, key, err := b.desk.issue(ctx)
	if err != nil {
		return finding{}, err
	}
	before := b.prey.read(ctx, key)
	if err := b.desk.revoke(ctx, id); err != nil {
		return finding{}, err
	}
	answer, err := ask(ctx, b.client, http.MethodGet, b.prey.door+"/v1/orders", nil, "Authorization", "Bearer "+key)
	if err != nil {
		return finding{}, err
	}
	return refusal(answer, fmt.Sprintf("Before its owner revoked it: %d. After:", before.Status), before.Status == http.StatusOK || before.Status == http.StatusTooManyRequests), nil
}
