//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// fewSessions are called of many in one row: it tells whether a full Redis by itself
// slows calls down.
const fewSessions = 1000

// asked counts the sessions that a Coatcheck asked the store for, or extended there.
var asked = [...]string{"coatcheck_near_cache_misses_total ", "coatcheck_session_touches_total "}

// crowd is a Coatcheck whose Redis holds so many sessions.
type crowd struct {
	row
	count     int
	tickets   string  // file with a ticket a line
	bytesEach float64 // in Redis
}

// numbered is a row of the table.
type numbered struct {
	variant
	crowd  *crowd
	called int
	trips  float64
	calls  float64
}

func counts(list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || len(all) == 8 {
			return nil, errors.New("-sessions: up to eight numbers, by comma")
		}
		all = append(all, n)
	}
	return all, nil
}

// doSessions is the table of what a call costs by the number of people who are signed in
// and call in no order.
func (b *bench) doSessions(ctx context.Context, t *report) error {
	running := len(b.processes)
	defer func() { b.stopLast(len(b.processes) - running) }()
	var rows []*numbered
	for i, n := range append([]int{1}, b.sessions...) {
		c, err := b.crowd(ctx, i+1, n)
		if err != nil {
			return fmt.Errorf("%d sessions: %w", n, err)
		}
		rows = append(rows, c.called(n))
		if i == len(b.sessions) && n > fewSessions {
			rows = append(rows, c.called(fewSessions))
		}
	}
	var all []variant
	for _, n := range rows {
		all = append(all, n.variant)
	}
	res, err := b.compare(ctx, all, b.rounds, b.length)
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	t.sessions(rows, res)
	return nil
}

// crowd starts a Coatcheck with a database of its own, and fills it.
func (b *bench) crowd(ctx context.Context, database, count int) (*crowd, error) {
	r, err := b.row("near", house{database: database})
	if err != nil {
		return nil, err
	}
	c := &crowd{row: r, count: count, tickets: filepath.Join(b.dir, "tickets-"+strconv.Itoa(database))}
	c.bytesEach, err = fill(ctx, b.redis, database, count, c.tickets)
	return c, err
}

// called is the row in which the first so many of the crowd call.
func (c *crowd) called(n int) *numbered {
	mine := &numbered{crowd: c, called: n}
	cookie, _, _ := strings.Cut(c.cookie, "=")
	script := fmt.Sprintf(inNoOrder, c.tickets, n, c.host(), cookie)
	mine.variant = variant{fmt.Sprintf("%d of %d", n, c.count), c.row, func(ctx context.Context, b *bench, r row, length time.Duration) (measure, error) {
		before, err := c.trips()
		if err != nil {
			return measure{}, err
		}
		m, err := wrk("/api/items", script)(ctx, b, r, length)
		if err != nil {
			return m, err
		}
		after, err := c.trips()
		mine.trips, mine.calls = mine.trips+after-before, mine.calls+m.calls
		return m, err
	}}
	return mine
}

// inNoOrder is wrk's script: each call is made by one of the people, drawn by lot.
const inNoOrder = `local tickets = {}
for line in io.lines(%q) do
  tickets[#tickets + 1] = line
  if #tickets == %d then break end
end
math.randomseed(os.time())
local head = "GET /api/items HTTP/1.1\r\nHost: %s\r\nCookie: %s="
request = function() return head .. tickets[math.random(#tickets)] .. "\r\n\r\n" end
`

// trips is how often Coatcheck has asked the store for a session, or extended one there.
func (c *crowd) trips() (float64, error) {
	answer, err := client.Get("http://" + c.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		for _, name := range asked {
			if value, is := strings.CutPrefix(line, name); is {
				n, fault := strconv.ParseFloat(strings.TrimSpace(value), 64)
				sum, err = sum+n, errors.Join(err, fault)
			}
		}
	}
	return sum, err
}

func (t *report) sessions(rows []*numbered, res *result) {
	fmt.Fprintf(t, "| sessions in Redis | of them called | CPU µs/call | calls/s | beside one | rounds | trips to Redis a call | RSS MB | Redis, bytes a session |\n|---|---|---|---|---|---|---|---|---|\n")
	for i, n := range rows {
		seen := res.seen[n.name]
		fmt.Fprintf(t, "| %d | %d | %.1f | %.0f |", n.crowd.count, n.called, res.median(n.name), median(seen, func(m measure) float64 { return m.rate }))
		if i == 0 {
			fmt.Fprint(t, " | |")
		} else {
			middle, least, most, _ := res.ratio(n.name, rows[0].name)
			fmt.Fprintf(t, " %.2f | %.2f to %.2f |", middle, least, most)
		}
		fmt.Fprintf(t, " %.2f | %d | %s |\n", n.trips/n.calls, memoryOf(seen)>>10, n.crowd.size())
	}
	fmt.Fprintln(t)
}

// size is what one of the crowd takes in Redis; of one alone it says nothing.
func (c *crowd) size() string {
	if c.count < 1000 {
		return ""
	}
	return fmt.Sprintf("%.0f", c.bytesEach)
}
