package demo

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/command"
	demoapi "coatcheck/upstream/demo"
)

// programs are the demo's spreadsheet and phone provider, as they would stand on
// computers of their own.
type programs struct {
	door   string // their address
	client *http.Client
	key    apikey.Key
	phone  phone
	robot  string // the account's token at the API, which neither of them knows
}

// phone is what signs events.
type phone struct{ secret []byte }

func newPrograms() *programs {
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails: see crypto/rand
	return &programs{key: apikey.New(), phone: phone{secret}, robot: "robot-" + command.NewKey()}
}

// hash is how the configuration knows the spreadsheet's key.
func (p *programs) hash() string { return "sha256:" + hex.EncodeToString(p.key.Hash[:]) }

// text is the secret as phone providers show it (Standard Webhooks).
func (p phone) text() string { return "whsec_" + base64.StdEncoding.EncodeToString(p.secret) }

// event is a signed call, to be sent as often as somebody likes.
type event struct {
	id, at, signature string
	body              []byte
}

// sign makes an event of what happened at a time.
func (p phone) sign(at time.Time, from string) event {
	body, _ := json.Marshal(map[string]string{"type": "call.ringing", "from": from, "to": "+44 20 7946 0123"}) // text: cannot fail
	e := event{id: "evt_" + rand.Text()[:12], at: strconv.FormatInt(at.Unix(), 10), body: body}
	mac := hmac.New(sha256.New, p.secret)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", e.id, e.at, e.body) // a hash takes everything
	e.signature = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return e
}

// send posts an event to a door.
func (e event) send(ctx context.Context, client *http.Client, door string) (*http.Response, error) {
	return ask(ctx, client, http.MethodPost, door+"/hooks/phone", e.body, "Content-Type", "application/json",
		"Webhook-Id", e.id, "Webhook-Timestamp", e.at, "Webhook-Signature", e.signature)
}

// ask makes one call, and reads the answer to its end; its body can be read again.
func ask(ctx context.Context, client *http.Client, method, address string, body []byte, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	_ = answer.Body.Close() // read, or broken
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, err
}

// many is how often the spreadsheet calls at once to be stopped by its limit.
const many = 14

// Run implements [demoapi.Programs].
func (p *programs) Run(ctx context.Context, name string) (outcomes []demoapi.Outcome, ok bool) {
	times := map[string]int{"read": 1, "hurry": many, "ring": 1}[name]
	for range times {
		if name == "ring" {
			outcomes = append(outcomes, p.ring(ctx))
		} else {
			outcomes = append(outcomes, p.read(ctx, p.key.Secret.Reveal()))
		}
	}
	return outcomes, times > 0
}

// read fetches the orders as a spreadsheet does.
func (p *programs) read(ctx context.Context, key string) demoapi.Outcome {
	answer, err := ask(ctx, p.client, http.MethodGet, p.door+"/v1/orders", nil, "Authorization", "Bearer "+key)
	return outcome("spreadsheet", http.MethodGet, "/v1/orders", answer, err)
}

// ring posts an event as a phone provider does.
func (p *programs) ring(ctx context.Context) demoapi.Outcome {
	answer, err := p.phone.sign(time.Now(), "+44 20 7946 0000").send(ctx, p.client, p.door)
	return outcome("phone", http.MethodPost, "/hooks/phone", answer, err)
}

func outcome(program, method, path string, answer *http.Response, err error) demoapi.Outcome {
	o := demoapi.Outcome{Program: program, Method: method, Path: path}
	if err != nil {
		o.Code = "no answer"
		return o
	}
	o.Status, o.Code, o.Limit = answer.StatusCode, answer.Header.Get("Coatcheck-Error"), answer.Header.Get("RateLimit")
	return o
}
