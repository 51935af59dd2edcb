package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"coatcheck/bff/http1"
	"coatcheck/upstream"
)

// explain turns what went wrong into one of the sentinels, with a reason that
// holds nothing of what was sent or received.
func (c *Call) explain(err error) error {
	var body *bodyError
	switch {
	case err == nil:
		return nil
	case c.link.Load() == aborted, errors.Is(err, ErrAborted), errors.Is(err, context.Canceled):
		return ErrAborted
	case errors.Is(err, upstream.ErrBusy), errors.Is(err, ErrOpen):
		return err
	case errors.As(err, &body):
		return fmt.Errorf("upstream: %w", body)
	case isTimeout(err):
		return upstream.ErrTimeout
	case errors.Is(err, http1.ErrMalformed), errors.Is(err, http1.ErrTooLarge), isViolation(err):
		return fmt.Errorf("%w: %w", upstream.ErrInvalid, err)
	}
	return fmt.Errorf("%w: %s", upstream.ErrUnreachable, whyUnreachable(err))
}

// explainBody is explain for what Response.Read met.
func (c *Call) explainBody(err error) error {
	if err == io.EOF {
		return io.EOF
	}
	if explained := c.explain(err); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(explained, ErrAborted) {
		return explained
	}
	return io.ErrUnexpectedEOF
}

func isViolation(err error) bool {
	for _, v := range []error{errInterims, errSwitch, errInterim, errOldChunk} {
		if errors.Is(err, v) {
			return true
		}
	}
	return false
}

// whyUnreachable names the reason in our own words.
func whyUnreachable(err error) string {
	var name *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.Is(err, errPoolClosed):
		return errPoolClosed.Error()
	case errors.As(err, &name):
		return "name not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &untrusted):
		return "certificate is not trusted"
	case errors.As(err, &record):
		return "no TLS spoken there"
	case errors.As(err, &op) && op.Op == "remote error":
		return "TLS refused"
	}
	return "connection broken"
}
