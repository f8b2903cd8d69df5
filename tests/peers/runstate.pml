/*
 * The bench's workloads W1 to W5 for SPIN, the same protocol as tests/bench/w.py.  Steps differ a little: a Promela
 * `if` or `goto` is a transition of its own, and the assertions stand at the reader's test and at the stores.
 *
 *   W1  spin -a runstate.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 *   W2  spin -a -DNUPD=3 -DNINV=3 -DNRD=2 runstate.pml ...
 *   W3  spin -a -DANYORDER runstate.pml && cc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=8000 -o pan pan.c ...
 *   W4  spin -a -DNOBIT runstate.pml && cc -O2 -DSAFETY -DBFS -o pan pan.c ...      (breadth first: a shortest one)
 *   W5a spin -a -DFLAGONLY ...   W5b -DFLAGONLY -DE0HILO -DE1HILO   W5c -DFLAGONLY -DE1HILO
 *
 * -DNOREDUCE for cc switches partial-order reduction off.  tests/peers/peers.py runs all of this.
 */
#ifndef NUPD
#define NUPD 2
#endif
#ifndef NINV
#define NINV 2
#endif
#ifndef NRD
#define NRD 1
#endif
#ifdef FLAGONLY
#define HI(v, f) (f)
#else
#define HI(v, f) ((v) * 2 + (f))
#endif
#ifdef NOBIT
#define UPD 0
#else
#define UPD 1
#endif

byte m[7];              /* 0 state, 1 entry_lo, 2 entry_hi (version and flag, or the flag alone), 3..6 time[0..3] */
bool valid[2] = true;   /* gpc1, gpc2 */
bool rd[2], wr[2];      /* their locks: the writer reads, at most one writes */
bool dirty;

#define VAL(i) ((i) == 2 -> HI(v, UPD) : v)
#define MAPPED (valid[0] && valid[1])

inline read_lock(i)    { atomic { !wr[i] -> rd[i] = true } }
inline read_unlock(i)  { rd[i] = false }
inline write_lock(i)   { atomic { !wr[i] && !rd[i] -> wr[i] = true } }
inline write_unlock(i) { wr[i] = false }
inline refresh(i)      { write_lock(i); valid[i] = true; write_unlock(i) }
inline put(i)          { d_step { assert(MAPPED); m[i] = VAL(i) } }
inline put_any(i)      { d_step { !(mask & (1 << i)) -> assert(MAPPED); mask = mask | (1 << i); m[i] = VAL(i) } }
inline copy_any(i)     { d_step { !(mask & (1 << i)) -> mask = mask | (1 << i); c[i] = m[i] } }

active proctype writer() {
  byte v, mask;
  bool atom;
  do
  :: v < NUPD ->
     v++;
     if :: atom = true :: atom = false fi;
retry:
     read_lock(0);
     if
     :: !valid[0] ->
        read_unlock(0);
        if :: atom -> goto out :: else fi;
        refresh(0);
        goto retry
     :: else
     fi;
     read_lock(1);
     if
     :: !valid[1] ->
        read_unlock(1);
        read_unlock(0);
        if :: atom -> goto out :: else fi;
        refresh(1);
        goto retry
     :: else
     fi;
#ifndef NOBIT
     d_step { assert(MAPPED); m[2] = HI(v, 1) };
#endif
#ifdef ANYORDER
     do
     :: put_any(0)
     :: put_any(1)
     :: put_any(2)
     :: put_any(3)
     :: put_any(4)
     :: put_any(5)
     :: put_any(6)
     :: atomic { mask == 127 -> mask = 0 }; break
     od;
#else
     put(0); put(1); put(2); put(3); put(4); put(5); put(6);
#endif
#ifndef NOBIT
     atomic { assert(MAPPED); m[2] = HI(v, 0) }; /* no d_step: the loop above breaks to here */
#endif
     read_unlock(1);
     read_unlock(0);
     dirty = true;
out: atom = false
  :: else -> break
  od
}

active proctype invalidator() {
  byte k;
  bit w;
  do
  :: k < NINV ->
     k++;
     if :: w = 0 :: w = 1 fi;
     write_lock(w);
     valid[w] = false;
     write_unlock(w);
     w = 0
  :: else -> break
  od
}

active [NRD] proctype reader() {
  byte a, b, x, y, c[7], mask;
again:
#ifdef E0HILO
  b = m[2]; a = m[1];
#else
  a = m[1]; b = m[2];
#endif
#ifdef ANYORDER
  do
  :: copy_any(0)
  :: copy_any(1)
  :: copy_any(2)
  :: copy_any(3)
  :: copy_any(4)
  :: copy_any(5)
  :: copy_any(6)
  :: atomic { mask == 127 -> mask = 0 }; break
  od;
#else
  c[0] = m[0]; c[1] = m[1]; c[2] = m[2]; c[3] = m[3]; c[4] = m[4]; c[5] = m[5]; c[6] = m[6];
#endif
#ifdef E1HILO
  y = m[2]; x = m[1];
#else
  x = m[1]; y = m[2];
#endif
  d_step {
    if
    :: a != x || b != y || (b & 1) ->
       a = 0; b = 0; x = 0; y = 0;
       c[0] = 0; c[1] = 0; c[2] = 0; c[3] = 0; c[4] = 0; c[5] = 0; c[6] = 0
    :: else ->
       assert(c[1] == c[0] && c[3] == c[0] && c[4] == c[0] && c[5] == c[0] && c[6] == c[0]);
#ifndef FLAGONLY
       assert(c[2] / 2 == c[0]);
#endif
       a = 255
    fi
  };
  if :: a != 255 -> goto again :: else fi
}
