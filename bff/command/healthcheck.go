package command

import (
	"context"
	"fmt"
	"net/http"
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
	at, via, err := admin.At(address)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("readyz").String(), nil)
	if err != nil {
		return Failure{err}
	}
	answer, err := (&http.Client{Transport: via}).Do(request)
	if err != nil {
		return Failure{err}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return Failure{fmt.Errorf("not ready: %s", answer.Status)}
	}
	return nil
}
