package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// failure turns what a transport says into one of the sentinels. The text of
// err is dropped: net/http puts the URL with its query in it (API keys stand
// there), and pieces of malformed responses. The person's leaving stays
// recognisable as [context.Canceled].
func failure(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("call given up: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return upstream.ErrTimeout
	case errors.Is(err, upstream.ErrBusy):
		return upstream.ErrDepleted
	}
	if isIdleClose(err) {
		err = io.ErrUnexpectedEOF
	}
	if unreachable := upstream.Unreachable(err); unreachable != nil {
		return unreachable
	}
	return mapping.Invalid("answer is malformed or too large")
}

// isIdleClose recognises the one error that net/http keeps to itself: the API
// closed a kept connection just as it was taken. Its text is constant.
func isIdleClose(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err.Error() == "http: server closed idle connection" {
			return true
		}
	}
	return false
}
