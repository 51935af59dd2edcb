package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"coatcheck/bff/admin"
)

// healthLimit bounds how long a health check waits for an answer.
const healthLimit = 5 * time.Second

// Healthcheck asks the admin listener at an absolute URL whether the process is ready,
// for containers without a shell. A [Failure] says that it is not.
func (p *Program) Healthcheck(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return errors.New("--admin is not a URL, such as http://127.0.0.1:9090")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("readyz").String(), nil)
	if err != nil {
		return Failure{err}
	}
	answer, err := (&http.Client{Transport: admin.Direct}).Do(request)
	if err != nil {
		return Failure{err}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return Failure{fmt.Errorf("not ready: %s", answer.Status)}
	}
	return nil
}
