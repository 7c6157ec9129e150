package logdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/claimfile"
	"github.com/mlxp/mlxp/internal/process"
)

// A Claim is the right to run attempt N of a run: metadata/claim.N, created
// with O_EXCL by the one who has it. The file says who that is, and its time is
// the sign of life that [Claim.Touch] gives.
type Claim struct {
	Run Run
	N   int
}

// ClaimInfo is what a claim says of its owner.
type ClaimInfo struct {
	N        int             `json:"n"`
	Hostname string          `json:"hostname"`
	Process  process.Process `json:"process"`
	Job      string          `json:"job,omitempty"` // the scheduler's id

	Sign time.Time `json:"-"` // the last sign of life, by the file server's clock
}

// ErrClaimed is the error for a run that another attempt has, or may have.
type ErrClaimed struct {
	Run   Run
	Owner ClaimInfo
	Life  process.Life
}

func (e *ErrClaimed) Error() string {
	state := "is running it"
	if e.Life == process.Unknown {
		state = "may be running it (last sign of life " + e.Owner.Sign.UTC().Format(time.RFC3339) + ")"
	}
	if e.Owner.Process.Pid == 0 {
		return fmt.Sprintf("run %d: somebody is about to run it, or was at %s", e.Run.ID, e.Owner.Sign.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("run %d: process %d on %s %s", e.Run.ID, e.Owner.Process.Pid, e.Owner.Hostname, state)
}

// Claim claims the next attempt at the run, for a job of a scheduler's if job is
// its id. Of any number of callers one gets it; the others get an [*ErrClaimed], as
// does who comes while an attempt lives or may live. gone, if there is one, is asked
// about an attempt of which nothing can be known here. The caller has to read the
// record again afterwards: an attempt may have ended in between.
func (r Run) Claim(job string, gone func(ClaimInfo) bool) (*Claim, error) {
	last, live, err := r.lastClaim()
	if live != nil && live.Life == process.Unknown && gone != nil && gone(live.Owner) {
		live = nil
	}
	if err != nil {
		return nil, err
	}
	if live != nil {
		return nil, live
	}
	n := 0
	if last != nil {
		n = last.N + 1
	}
	hostname, _ := os.Hostname()
	owner := ClaimInfo{N: n, Hostname: hostname, Process: process.Self(), Job: job}
	text, err := json.Marshal(owner)
	if err != nil {
		return nil, err
	}
	err = claimfile.Create(r.claimPath(n), append(text, '\n'))
	if errors.Is(err, fs.ErrExist) {
		owner, err := r.readClaim(n)
		if err != nil {
			return nil, err
		}
		return nil, &ErrClaimed{r, owner, owner.life(nil)}
	}
	if err != nil {
		return nil, fmt.Errorf("run %d: claim: %w", r.ID, err)
	}
	r.removeLeftovers()
	return &Claim{r, n}, nil
}

// removeLeftovers removes what a writer left that was killed before it could
// replace a file. Only who holds the claim may do so: nobody else writes records.
func (r Run) removeLeftovers() {
	entries, err := os.ReadDir(r.Path(MetadataDir))
	if err != nil {
		return // they do no harm
	}
	for _, e := range entries {
		left := strings.HasPrefix(e.Name(), "."+filepath.Base(InfoYAML)) || strings.HasPrefix(e.Name(), "."+filepath.Base(ConfigJSON))
		if strings.HasPrefix(e.Name(), claimfile.Prefix) { // of one who was killed, or who is about to find out that we were faster
			st, err := e.Info()
			left = err == nil && time.Since(st.ModTime()) > silence
		}
		if left {
			_ = os.Remove(r.Path(MetadataDir + "/" + e.Name()))
		}
	}
}

// Live returns the error that [Run.Claim] would give for an attempt that lives
// or may live, nil if there is none.
func (r Run) Live() (*ErrClaimed, error) {
	_, live, err := r.lastClaim()
	return live, err
}

func (r Run) lastClaim() (last *ClaimInfo, live *ErrClaimed, err error) {
	last, err = r.LastClaim()
	if err != nil || last == nil {
		return nil, nil, err
	}
	info, err := r.ReadInfo()
	if err != nil {
		return nil, nil, err
	}
	if life := last.life(info); life != process.Gone {
		live = &ErrClaimed{r, *last, life}
	}
	return last, live, nil
}

// LastClaim returns the newest claim of the run, nil if there is none.
func (r Run) LastClaim() (*ClaimInfo, error) {
	entries, err := os.ReadDir(r.Path(MetadataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("run %d: %w", r.ID, err)
	}
	last := -1
	for _, e := range entries {
		if digits, ok := strings.CutPrefix(e.Name(), claimPrefix); ok {
			if n, err := strconv.Atoi(digits); err == nil {
				last = max(last, n)
			}
		}
	}
	if last < 0 {
		return nil, nil
	}
	owner, err := r.readClaim(last)
	if err != nil {
		return nil, err
	}
	return &owner, nil
}

// Touch gives a sign of life.
func (c *Claim) Touch() error {
	now := time.Now()
	return os.Chtimes(c.Run.claimPath(c.N), now, now)
}

// Drop gives the claim back. Only an attempt that has started nothing and
// recorded nothing may do so.
func (c *Claim) Drop() error { return os.Remove(c.Run.claimPath(c.N)) }

func (r Run) claimPath(n int) string {
	return r.Path(MetadataDir + "/" + claimPrefix + strconv.Itoa(n))
}

// readClaim reads claim n. One that is not whole has no process, so that nothing
// can be known of its owner.
func (r Run) readClaim(n int) (ClaimInfo, error) {
	owner := ClaimInfo{N: n}
	path := r.claimPath(n)
	st, err := os.Stat(path)
	if err != nil {
		return owner, fmt.Errorf("run %d: claim: %w", r.ID, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return owner, fmt.Errorf("run %d: claim: %w", r.ID, err)
	}
	if json.Unmarshal(text, &owner) != nil {
		owner = ClaimInfo{}
	}
	owner.N, owner.Sign = n, st.ModTime()
	return owner, nil
}

// silence is how long an owner who gives a sign of life every 30 s can have given
// none, be it for clocks that differ or a file server that hangs.
const silence = 10 * time.Minute

// life tells whether the attempt that owner claimed goes on, info being the
// run's record. An attempt whose end is recorded is gone, whoever its owner is.
// So is one of this host before it was started again, and one whose owner was
// stopped before it wrote its name, after a long silence: another host of the
// same name would have given signs of life.
func (owner ClaimInfo) life(info *Info) process.Life {
	if info != nil {
		for _, a := range info.Attempts {
			if a.N == owner.N && !a.Ended.IsZero() {
				return process.Gone
			}
		}
	}
	life := owner.Process.Life()
	if life != process.Unknown || time.Since(owner.Sign) < silence {
		return life
	}
	hostname, _ := os.Hostname()
	nameless := owner.Process.Pid == 0
	rebooted := owner.Hostname == hostname && owner.Process.Boot != "" && owner.Process.Boot != process.Self().Boot
	if nameless || rebooted {
		return process.Gone
	}
	return process.Unknown
}
