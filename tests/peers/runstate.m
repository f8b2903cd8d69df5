-- The bench's workloads W1 to W5 for Rumur, the same protocol and the same steps as tests/bench/w.py: it finds the same
-- states, and with the rule "finished" one transition more for each final state.
--
--   W1   rumur --deadlock-detection stuck --output r.c runstate.m &&
--        cc -std=c11 -O3 -march=native -mcx16 r.c -o r -lpthread && ./r
--
-- The others change constants below (Rumur has no option for that; tests/peers/peers.py puts them in and runs it):
--   W2   NUPD 3, NINV 3, NRD 2      W3  ANY 1      W4  UPD 0      W5a FLAG_ONLY 1
--   W5b  FLAG_ONLY 1, FIRST_HIGH 1, SECOND_HIGH 1      W5c  FLAG_ONLY 1, SECOND_HIGH 1
const
  NUPD : 2;
  NINV : 2;
  NRD : 1;
  UPD : 1;          -- whether there is an update bit
  ANY : 0;          -- stores and copies in any order
  FLAG_ONLY : 0;    -- entry_hi holds the flag and no version
  FIRST_HIGH : 0;   -- the first read of the entry time begins with its high word
  SECOND_HIGH : 0;

type
  cell : 0..6;      -- state, entry_lo, entry_hi, time0..time3
  gpc : 0..1;
  val : 0..15;
  rid : 1..NRD;
  wpc : enum { START, L1, C1, U1F, R1, R1V, R1U, L2, C2, U2F, U1F2, R2, R2V, R2U, SETB, STOR, CLR, UL2, UL1, DD };
  ipc : enum { ISTART, IL, IV, IU };
  rpc : enum { FIRST, FIRST2, CPY, SECOND, SECOND2, CHK, DONE };
  rdr : record
    pc : rpc; a : val; b : val; x : val; y : val; c : array[cell] of val; done : array[cell] of boolean;
  end;

var
  m : array[cell] of val;
  valid : array[gpc] of boolean;
  rd : array[gpc] of boolean;
  wr : array[gpc] of boolean;
  dirty : boolean;
  pc : wpc;
  v : 0..NUPD;
  atom : boolean;
  stored : array[cell] of boolean;
  ip : ipc;
  k : 0..NINV;
  g : gpc;
  r : array[rid] of rdr;

function high(version : val; flag : val) : val;
begin
  if FLAG_ONLY = 1 then return flag; end;
  return 2*version + flag;
end;

function is_next(var d : array[cell] of boolean; i : cell) : boolean;
begin
  if d[i] then return false; end;
  if ANY = 1 then return true; end;
  for j : cell do if j < i & !d[j] then return false; end; end;
  return true;
end;

function complete(var d : array[cell] of boolean) : boolean;
begin
  for j : cell do if !d[j] then return false; end; end;
  return true;
end;

procedure forget(var d : array[cell] of boolean);
begin
  for j : cell do d[j] := false; end;
end;

procedure give_up();
begin
  atom := false;
  pc := START;
end;

startstate begin
  for i : cell do m[i] := 0; stored[i] := false; end;
  for i : gpc do valid[i] := true; rd[i] := false; wr[i] := false; end;
  dirty := false; pc := START; v := 0; atom := false; ip := ISTART; k := 0; g := 0;
  for q : rid do
    r[q].pc := FIRST; r[q].a := 0; r[q].b := 0; r[q].x := 0; r[q].y := 0;
    for i : cell do r[q].c[i] := 0; r[q].done[i] := false; end;
  end;
end;

ruleset at : boolean do
  rule "writer: update" pc = START & v < NUPD ==> begin v := v + 1; atom := at; pc := L1; end;
end;
rule "writer: read_lock gpc1" pc = L1 & !wr[0] ==> begin rd[0] := true; pc := C1; end;
rule "writer: check gpc1" pc = C1 ==> begin if valid[0] then pc := L2; else pc := U1F; end; end;
rule "writer: read_unlock gpc1, failed" pc = U1F ==> begin rd[0] := false; if atom then give_up(); else pc := R1; end; end;
rule "writer: write_lock gpc1" pc = R1 & !wr[0] & !rd[0] ==> begin wr[0] := true; pc := R1V; end;
rule "writer: refresh gpc1" pc = R1V ==> begin valid[0] := true; pc := R1U; end;
rule "writer: write_unlock gpc1" pc = R1U ==> begin wr[0] := false; pc := L1; end;
rule "writer: read_lock gpc2" pc = L2 & !wr[1] ==> begin rd[1] := true; pc := C2; end;
rule "writer: check gpc2" pc = C2 ==> begin
  if !valid[1] then pc := U2F; elsif UPD = 1 then pc := SETB; else pc := STOR; end; end;
rule "writer: read_unlock gpc2, failed" pc = U2F ==> begin rd[1] := false; pc := U1F2; end;
rule "writer: read_unlock gpc1, gpc2 failed" pc = U1F2 ==> begin
  rd[0] := false; if atom then give_up(); else pc := R2; end; end;
rule "writer: write_lock gpc2" pc = R2 & !wr[1] & !rd[1] ==> begin wr[1] := true; pc := R2V; end;
rule "writer: activate gpc2" pc = R2V ==> begin valid[1] := true; pc := R2U; end;
rule "writer: write_unlock gpc2" pc = R2U ==> begin wr[1] := false; pc := L1; end;
rule "writer: set update byte" pc = SETB ==> begin m[2] := high(v, 1); pc := STOR; end;
ruleset i : cell do
  rule "writer: store" pc = STOR & is_next(stored, i) ==> begin
    if i = 2 then m[2] := high(v, UPD); else m[i] := v; end;
    stored[i] := true;
    if complete(stored) then
      forget(stored);
      if UPD = 1 then pc := CLR; else pc := UL2; end;
    end;
  end;
end;
rule "writer: clear update byte" pc = CLR ==> begin m[2] := high(v, 0); pc := UL2; end;
rule "writer: read_unlock gpc2" pc = UL2 ==> begin rd[1] := false; pc := UL1; end;
rule "writer: read_unlock gpc1" pc = UL1 ==> begin rd[0] := false; pc := DD; end;
rule "writer: mark dirty" pc = DD ==> begin dirty := true; atom := false; pc := START; end;

ruleset h : gpc do
  rule "invalidator: invalidate" ip = ISTART & k < NINV ==> begin k := k + 1; g := h; ip := IL; end;
end;
rule "invalidator: write_lock" ip = IL & !wr[g] & !rd[g] ==> begin wr[g] := true; ip := IV; end;
rule "invalidator: valid = false" ip = IV ==> begin valid[g] := false; ip := IU; end;
rule "invalidator: write_unlock" ip = IU ==> begin wr[g] := false; g := 0; ip := ISTART; end;

ruleset q : rid do
  rule "reader: read" r[q].pc = FIRST ==> begin
    if FIRST_HIGH = 1 then r[q].b := m[2]; else r[q].a := m[1]; end; r[q].pc := FIRST2; end;
  rule "reader: read the other word" r[q].pc = FIRST2 ==> begin
    if FIRST_HIGH = 1 then r[q].a := m[1]; else r[q].b := m[2]; end; r[q].pc := CPY; end;
  ruleset i : cell do
    rule "reader: copy" r[q].pc = CPY & is_next(r[q].done, i) ==> begin
      r[q].c[i] := m[i];
      r[q].done[i] := true;
      if complete(r[q].done) then forget(r[q].done); r[q].pc := SECOND; end;
    end;
  end;
  rule "reader: re-read" r[q].pc = SECOND ==> begin
    if SECOND_HIGH = 1 then r[q].y := m[2]; else r[q].x := m[1]; end; r[q].pc := SECOND2; end;
  rule "reader: re-read the other word" r[q].pc = SECOND2 ==> begin
    if SECOND_HIGH = 1 then r[q].x := m[1]; else r[q].y := m[2]; end; r[q].pc := CHK; end;
  rule "reader: accept" r[q].pc = CHK ==> begin
    if r[q].a = r[q].x & r[q].b = r[q].y & r[q].b % 2 = 0 then r[q].pc := DONE; else r[q].pc := FIRST; end;
    r[q].a := 0; r[q].b := 0; r[q].x := 0; r[q].y := 0;
    for i : cell do r[q].c[i] := 0; end;
  end;
  invariant "torn" !(r[q].pc = CHK & r[q].a = r[q].x & r[q].b = r[q].y & r[q].b % 2 = 0) |
    (forall i : cell do
      (i = 2 & (FLAG_ONLY = 1 | r[q].c[2] / 2 = r[q].c[0])) | (i != 2 & r[q].c[i] = r[q].c[0]) end);
end;
rule "finished" pc = START & v = NUPD & ip = ISTART & k = NINV & (forall q : rid do r[q].pc = DONE end) ==>
  begin dirty := dirty; end;
invariant "stale" !(pc = SETB | pc = STOR | pc = CLR) | (valid[0] & valid[1]);
