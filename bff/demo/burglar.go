package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"time"

	demoapi "coatcheck/upstream/demo"
)

// mallory is the attacker, who has an account like everybody else. The sign-in page does
// not offer her.
var mallory = demoapi.Person{ID: "p-6666", Frontend: "evil", Email: "mallory@evil.example", Password: "free-coats-here", Name: "Mallory", Role: "customer"}

// burglar is the attacker's own computer, for what no page can do. Everything that it
// does goes over the network to where everybody calls.
type burglar struct {
	client *http.Client // without cookies; sends every call to the demo's port
	port   string
	porter *porter   // the client's secret: this attacker even has that
	prey   *programs // what was stolen of them; nil: this demo has neither programs nor provider
	log    *callLog  // where the page looks up what became of its calls
	desk   desk      // of the operator who revokes the stolen key
}

// finding is what became of a try, for people to read.
type finding struct {
	Refused bool `json:"refused"`
	// Code is the refusal, Evidence what happened, step by step.
	Code     string `json:"code"`
	Evidence string `json:"evidence"`
	// Address is where the page is to send the browser: it judges the try itself then.
	Address string `json:"address,omitempty"`
	// Key is one that the page may try.
	Key string `json:"key,omitempty"`
}

// tries are what the attacker's page can have done, by name.
func (b *burglar) tries() map[string]func(context.Context) (finding, error) {
	return map[string]func(context.Context) (finding, error){
		"my-callback": b.myCallback, "replayed-callback": b.replayedCallback, "stolen-code": b.stolenCode,
		"page-key": b.pageKey, "ticket-and-key": b.ticketAndKey, "replayed-event": b.replayedEvent, "changed-event": b.changedEvent, "revoked-key": b.revokedKey,
	}
}

func (b *burglar) at(name string) string { return "http://" + name + ".coatcheck.localhost:" + b.port }

// somebody is a browser of its own.
func (b *burglar) somebody() *http.Client {
	jar, _ := cookiejar.New(nil) // never fails
	own := *b.client
	own.Jar = insecureJar{jar}
	return &own
}

// insecureJar keeps Secure cookies over plain http, as browsers do on localhost.
type insecureJar struct{ http.CookieJar }

func (j insecureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(asHTTPS(u), cookies)
}
func (j insecureJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(asHTTPS(u)) }

func asHTTPS(u *url.URL) *url.URL {
	other := *u
	other.Scheme = "https"
	return &other
}

var errNoForm = errors.New("the provider shows no form")

// form finds the reference of a sign-in page.
var form = regexp.MustCompile(`name="request" value="([^"]+)"`)

// goTo opens an address as a person does, and returns where it leads on to.
func goTo(ctx context.Context, who *http.Client, address string) (*http.Response, string, error) {
	answer, err := ask(ctx, who, http.MethodGet, address, nil, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html")
	if err != nil {
		return nil, "", err
	}
	return answer, answer.Header.Get("Location"), nil
}

// signInThere signs somebody in at the provider's page, at an address that an
// application gave. It returns the way back, which nobody went yet.
func (b *burglar) signInThere(ctx context.Context, who *http.Client, authorize, email, password string) (string, error) {
	page, _, err := goTo(ctx, who, authorize)
	if err != nil {
		return "", err
	}
	html := make([]byte, 1<<16)
	n, _ := page.Body.Read(html)
	found := form.FindSubmatch(html[:n])
	if found == nil {
		return "", errNoForm
	}
	fields := url.Values{"request": {string(found[1])}, "email": {email}, "password": {password}}
	answer, err := ask(ctx, who, http.MethodPost, b.porter.issuer+"/signin", []byte(fields.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	if err != nil {
		return "", err
	}
	return answer.Header.Get("Location"), nil
}

// wayBack lets somebody sign in for the back office, up to the address of the callback.
func (b *burglar) wayBack(ctx context.Context, who *http.Client, p demoapi.Person) (string, error) {
	_, authorize, err := goTo(ctx, who, b.at("admin")+"/bff/login?return_to=/")
	if err != nil {
		return "", err
	}
	return b.signInThere(ctx, who, authorize, p.Email, p.Password)
}

// hedy is whose sign-in, on her own computer, the attacker reads along.
func hedy() demoapi.Person {
	for _, p := range demoapi.People() {
		if p.ID == "p-2002" {
			return p
		}
	}
	return demoapi.Person{}
}

// try does one of them, within a bound.
func (b *burglar) try(ctx context.Context, name string) (finding, bool) {
	do := b.tries()[name]
	if do == nil || b.prey == nil {
		return finding{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	found, err := do(ctx)
	if err != nil {
		found = finding{Refused: errors.Is(err, errNoDesk), Code: "not tried", Evidence: fmt.Sprint(err)}
	}
	return found, true
}
