package forward

import (
	"context"
	"errors"
	"fmt"
	"io"

	"coatcheck/bff/http1"
	"coatcheck/upstream"
)

// classify turns what went wrong into one of the sentinels, with a reason that
// holds nothing of what was sent or received.
func (c *Call) classify(err error) error {
	var body *bodyError
	switch {
	case err == nil:
		return nil
	case c.link.Load() == aborted, errors.Is(err, ErrAborted), errors.Is(err, context.Canceled):
		return ErrAborted
	case errors.Is(err, upstream.ErrBusy), errors.Is(err, ErrOpen):
		return err
	case errors.Is(err, errPoolClosed):
		return fmt.Errorf("%w: %w", upstream.ErrUnreachable, errPoolClosed)
	case errors.As(err, &body):
		return fmt.Errorf("upstream: %w", body)
	case isTimeout(err):
		return upstream.ErrTimeout
	case errors.Is(err, http1.ErrMalformed), errors.Is(err, http1.ErrTooLarge), isViolation(err):
		return fmt.Errorf("%w: %w", upstream.ErrInvalid, err)
	}
	if err := upstream.Unreachable(err); err != nil {
		return err
	}
	return fmt.Errorf("%w: connection broken", upstream.ErrUnreachable)
}

// classifyBody is classify for what Response.Read met.
func (c *Call) classifyBody(err error) error {
	if err == io.EOF {
		return io.EOF
	}
	if classified := c.classify(err); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(classified, ErrAborted) {
		return classified
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
