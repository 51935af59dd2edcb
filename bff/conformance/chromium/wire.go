package chromium

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// patience bounds one command: Chromium answers within milliseconds, or hangs.
const patience = 60 * time.Second

var errGone = errors.New("the browser is gone")

// wire carries commands and their results; each ends with a NUL byte. Events are dropped:
// cases wait for conditions, not for announcements.
type wire struct {
	to io.Writer

	mu      sync.Mutex
	number  int
	waiting map[int]chan reply
	gone    bool
}

type command struct {
	ID      int    `json:"id"`
	Session string `json:"sessionId,omitempty"`
	Method  string `json:"method"`
	Params  any    `json:"params,omitempty"`
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// call sends a command to a session, "" for the browser itself, and reads its result.
func (w *wire) call(session, method string, params, result any) error {
	answer, err := w.send(session, method, params)
	if err != nil {
		return err
	}
	select {
	case r, ok := <-answer:
		switch {
		case !ok:
			return errGone
		case r.Error != nil:
			return fmt.Errorf("%s: %s", method, r.Error.Message)
		case result == nil:
			return nil
		}
		return json.Unmarshal(r.Result, result)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer within %v", method, patience)
	}
}

func (w *wire) send(session, method string, params any) (<-chan reply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return nil, errGone
	}
	w.number++
	text, err := json.Marshal(command{w.number, session, method, params})
	if err != nil {
		return nil, err
	}
	answer := make(chan reply, 1)
	w.waiting[w.number] = answer
	_, err = w.to.Write(append(text, 0))
	return answer, err
}

// read hands out results until the pipe ends.
func (w *wire) read(from io.Reader) {
	for r := bufio.NewReader(from); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			break
		}
		var got reply
		if json.Unmarshal(text[:len(text)-1], &got) != nil || got.ID == 0 {
			continue
		}
		w.mu.Lock()
		if answer := w.waiting[got.ID]; answer != nil {
			answer <- got
			delete(w.waiting, got.ID)
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	for _, answer := range w.waiting {
		close(answer)
	}
	clear(w.waiting)
}
