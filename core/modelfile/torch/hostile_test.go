package torch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// An in is an entry of an archive made for a test.
type in struct {
	name, content string
	method        uint16
}

func archived(t testing.TB, entries ...in) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// saved wraps a pickle as torch.save does, beside one storage of 64 bytes.
func saved(t testing.TB, pickled string) []byte {
	t.Helper()
	return archived(t, in{"x/data.pkl", pickled, zip.Store}, in{"x/data/0", strings.Repeat("\x00\x00\x80\x3f", 16), zip.Store})
}

// text, number and tuple are fragments of pickles.
func textOp(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func numberOp(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func tupleOp(values ...int64) string {
	s := "("
	for _, v := range values {
		s += numberOp(v)
	}
	return s + "t"
}

// tensorOp is a tensor of the storage 0, of a class and with as many numbers as it claims.
func tensorOp(class string, count, offset int64, shape, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + textOp("storage") + "ctorch\n" + class + "\n" + textOp("0") + textOp("cpu") + numberOp(count) + "tQ" +
		numberOp(offset) + shape + stride + "\x89NtR"
}

// dictOp is the pickle of a mapping.
func dictOp(items ...string) string { return "\x80\x02}(" + strings.Join(items, "") + "u." }

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// qtensorOp is a quantized tensor of 2 x 4 whose quantizer is a fragment.
func qtensorOp(quantizer string) string {
	whole := strings.Replace(tensorOp("QInt8Storage", 8, 0, tupleOp(2, 4), tupleOp(4, 1)), "_rebuild_tensor_v2", "_rebuild_qtensor", 1)
	return strings.TrimSuffix(whole, "\x89NtR") + quantizer + "\x89NtR"
}

// hostilePickles are pickles that were made to do harm, or that are broken, by what is said of them.
func hostilePickles() map[string]struct{ pickle, says string } {
	good := textOp("w") + tensorOp("FloatStorage", 16, 0, tupleOp(4, 4), tupleOp(4, 1))
	huge := int64(1) << 62
	return map[string]struct{ pickle, says string }{
		"os.system":            {"cos\nsystem\n(S'rm -rf /'\ntR.", "call os.system, as no model needs: nothing was run"},
		"beside tensors":       {dictOp(good, textOp("x"), "cposix\nsystem\n(S'id'\ntR"), "call posix.system"},
		"eval, protocol 4":     {"\x80\x04\x8c\x08builtins\x94\x8c\x04eval\x94\x93\x8c\x011\x85R.", "call builtins.eval"},
		"INST":                 {"(S'id'\nios\nsystem\n.", "call os.system"},
		"OBJ":                  {"(csubprocess\nPopen\nS'id'\no.", "call subprocess.Popen"},
		"NEWOBJ":               {"\x80\x02csubprocess\nPopen\n)\x81.", "call subprocess.Popen"},
		"NEWOBJ_EX":            {"\x80\x04cshutil\nrmtree\n)}\x92.", "call shutil.rmtree"},
		"BUILD":                {"\x80\x02c__builtin__\nexec\n}b.", "call __builtin__.exec"},
		"torch.hub":            {"\x80\x02ctorch.hub\nload\n)R.", "call torch.hub.load"},
		"a pickle in a pickle": {"c_pickle\nloads\n(C\x02N.tR.", "call _pickle.loads"},
		"getattr":              {"c__builtin__\ngetattr\n(cx\ny\nS'z'\ntR.", "whole object of the class __builtin__.getattr"},
		"EXT1":                 {"\x80\x02\x82\x01.", "registry of extensions"},
		"EXT4":                 {"\x80\x02\x84\x01\x00\x00\x00.", "registry of extensions"},
		"PERSID":               {"P0\n.", "outside that is not a storage"},
		"BINPERSID of nothing": {"\x80\x02NQ.", "outside that is not a storage"},
		"NEXT_BUFFER":          {"\x80\x05\x97.", "not one that Python writes"},
		"unknown opcode":       {"\x80\x02\xff.", "unknown opcode 0xff"},
		"protocol 9":           {"\x80\x09N.", "not one that Python writes"},
		"no STOP":              {"\x80\x02N", "ends too early"},
		"empty":                {"", "ends too early"},
		"nothing on the stack": {"\x80\x02.", "not one that Python writes"},
		"MARK missing":         {"\x80\x02t.", "not one that Python writes"},
		"odd SETITEMS":         {"\x80\x02}(K\x01u.", "not one that Python writes"},
		"unhashable key":       {"\x80\x02ccollections\nOrderedDict\n)RC\x01xNs.", "not one that Python writes"},
		"LONG1 of nothing":     {"\x80\x02\x8a\x00.", "not one that Python writes"},
		"REDUCE of a list":     {"\x80\x02])R.", "not one that Python writes"},
		"BUILD of a number":    {"\x80\x02K\x01}b.", "not one that Python writes"},

		"1e6 lists in each other":   {"\x80\x02" + repeat("](", 1000000), "nests deeper"},
		"1e6 marks":                 {"\x80\x02" + repeat("(", 1000000), "nests deeper"},
		"3e5 dicts in each other":   {"\x80\x02" + repeat("}K\x00", 300000) + "N" + repeat("s", 300000) + ".", "no tensors"},
		"1e6 dicts in each other":   {"\x80\x02" + repeat("}K\x00", 1000000) + "N" + repeat("s", 1000000) + ".", "pickle builds more"},
		"20,000 dicts":              {"\x80\x02" + repeat("}K\x00", 20000) + "N" + repeat("s", 20000) + ".", "no tensors"},
		"20,000 tuples":             {"\x80\x02N" + repeat("\x85", 20000) + ".", "holds a list"},
		"4e6 pops":                  {"\x80\x02" + repeat("N0", 4000000) + "N.", "pickle builds more"},
		"4e6 DUPs":                  {"\x80\x02K\x01" + repeat("2", 4000000) + ".", "pickle builds more"},
		"dicts without end":         {"\x80\x02" + repeat("}", 4000000) + ".", "pickle builds more"},
		"a list in itself":          {"\x80\x02]q\x00h\x00a.", "holds a list"},
		"a dict in itself":          {"\x80\x02}q\x00" + textOp("model") + "h\x00s.", "no tensors"},
		"a dict in itself, tensors": {"\x80\x02}q\x00(" + textOp("model") + "h\x00" + good + "u.", "nested too richly"},
		"two dicts in each other":   {"\x80\x02}q\x00(" + textOp("net") + "}q\x01(" + textOp("net") + "h\x00" + textOp("other") + "}" + good + "su" + "u.", "nested too richly"},
		"memo bomb":                 {"\x80\x02" + memoBomb("}", 60), "no tensors"},
		"memo bomb with a tensor":   {"\x80\x02" + memoBomb("}"+good+"s", 15), "more than 10000 tensors"},
		"big memo bomb":             {"\x80\x02" + memoBomb("}"+good+"s", 100), "no tensors"},

		"a mapping of many, often": {"\x80\x02}q\x00(" + good + repeat("G\x00\x00\x00\x00\x00\x00\x00\x00N", 200000) + "u0}q\x01(" + oftenOp(20000) + "u.", "more than 10000 tensors"},
		"a name of 1 MB, often":    {"\x80\x02}q\x00(" + textOp(repeat("x", 1<<20)) + "}" + good + "su0}q\x01(" + oftenOp(20000) + "u.", "no tensors"},

		"FRAME of 10 GB":        {"\x80\x04\x95\x00\xe4\x0b\x54\x02\x00\x00\x00N.", "claims more bytes"},
		"FRAME of 2^64":         {"\x80\x04\x95" + repeat("\xff", 8) + "N.", "claims more bytes"},
		"FRAME in FRAME":        {"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x95\x01" + repeat("\x00", 7) + "NN.", "claims more bytes"},
		"BINBYTES8 of 10 GB":    {"\x80\x04\x8e\x00\xe4\x0b\x54\x02\x00\x00\x00x.", "claims more bytes"},
		"BINUNICODE8 of 2^63":   {"\x80\x04\x8d\x00\x00\x00\x00\x00\x00\x00\x80x.", "claims more bytes"},
		"BYTEARRAY8 of 2^64":    {"\x80\x05\x96" + repeat("\xff", 8) + "x.", "claims more bytes"},
		"BINUNICODE of 4 GB":    {"\x80\x02X\xff\xff\xff\xffx.", "claims more bytes"},
		"BINSTRING of -1":       {"\x80\x02T\xff\xff\xff\xffx.", "claims more bytes"},
		"LONG4 of 2 GB":         {"\x80\x02\x8b\xff\xff\xff\x7fx.", "claims more bytes"},
		"LONG4 of 1 MB":         {"\x80\x02\x8b\x00\x00\x10\x00" + repeat("\x01", 1<<20) + ".", "in one piece"},
		"LONG of 1e6 digits":    {"L" + repeat("9", 1000000) + "L\n.", "does not end"},
		"bytes of 2 MB":         {"\x80\x03B\x00\x00\x20\x00" + repeat("x", 2<<20) + ".", "in one piece"},
		"20 MB of pickle":       {"\x80\x02" + repeat("X\x00\x00\x08\x00"+repeat("x", 1<<19)+"0", 40) + "N.", "longer than 16 MB"},
		"a line without end":    {"c" + repeat("x", 5000), "does not end"},
		"a storage of 2^62":     {dictOp(textOp("w"), tensorOp("FloatStorage", huge, 0, tupleOp(4), tupleOp(1))), "claims 4611686018427387904 of type float32"},
		"a storage too small":   {dictOp(textOp("w"), tensorOp("DoubleStorage", 16, 0, tupleOp(4), tupleOp(1))), "take 64 bytes"},
		"a negative storage":    {dictOp(textOp("w"), tensorOp("FloatStorage", -1, 0, tupleOp(4), tupleOp(1))), "in a way that PyTorch does not"},
		"a shape of 2^62":       {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(huge, 4), tupleOp(0, 0))), "more than 67108864 numbers"},
		"shapes that overflow":  {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(1<<32, 1<<32), tupleOp(0, 0))), "more than 67108864 numbers"},
		"shapes that expand":    {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(1<<13, 1<<13, 2), tupleOp(0, 0, 0))), "more than 67108864 numbers"},
		"two large tensors":     {dictOp(textOp("v"), tensorOp("FloatStorage", 16, 0, tupleOp(1<<26), tupleOp(0)), textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(2), tupleOp(0))), "the model has more than 67108864"},
		"strides that overflow": {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(4, 4), tupleOp(huge, huge))), "reaches beyond"},
		"strides too far":       {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(4, 4), tupleOp(5, 1))), "reaches beyond"},
		"an offset too far":     {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 13, tupleOp(4), tupleOp(1))), "reaches beyond"},
		"an offset at the end":  {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 16, ")", ")")), "reaches beyond"},
		"an offset of 2^62":     {dictOp(textOp("w"), tensorOp("FloatStorage", 16, huge, tupleOp(4), tupleOp(1))), "begins beyond"},
		"a negative offset":     {dictOp(textOp("w"), tensorOp("FloatStorage", 16, -4, tupleOp(4), tupleOp(1))), "begins beyond"},
		"a negative shape":      {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(-4), tupleOp(1))), "positive numbers"},
		"a negative stride":     {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 15, tupleOp(4), tupleOp(-1))), "positive numbers"},
		"too few strides":       {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(4, 4), tupleOp(1))), "2 dimensions has 1 strides"},
		"nine dimensions":       {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(1, 1, 1, 1, 1, 1, 1, 1, 1), tupleOp(1, 1, 1, 1, 1, 1, 1, 1, 1))), "at most 8 dimensions"},
		"an unknown storage":    {dictOp(textOp("w"), tensorOp("Float3Storage", 16, 0, tupleOp(4), tupleOp(1))), "torch.Float3Storage, which is not read"},
		"no arguments":          {dictOp(textOp("w"), "ctorch._utils\n_rebuild_tensor_v2\n)R"), "lacks its shape"},
		"no storage":            {dictOp(textOp("w"), "ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x00))tR"), "has no numbers"},
		"pickle.dump":           {dictOp(textOp("w"), "ctorch._utils\n_rebuild_tensor_v2\n(ctorch.storage\n_load_from_bytes\nC\x01x\x85RK\x00))tR"), "written with pickle.dump"},
		"no tensor":             {dictOp(textOp("w"), "ctorch._utils\n_rebuild_parameter\n(N\x88NtR"), "has no tensor"},
		"no quantizer":          {dictOp(textOp("w"), qtensorOp("N")), "lacks its scale"},
		"a scale that is none":  {dictOp(textOp("w"), qtensorOp("(ctorch\nper_tensor_affine\nNNt")), "is not a number"},
		"scales that are none":  {dictOp(textOp("w"), qtensorOp("(ctorch\nper_channel_affine\nNNK\x00t")), "are not tensors"},
		"scales too few": {dictOp(textOp("w"), qtensorOp("(ctorch\nper_channel_affine\n"+tensorOp("FloatStorage", 16, 0, tupleOp(1), tupleOp(1))+
			tensorOp("FloatStorage", 16, 0, tupleOp(1), tupleOp(1))+"K\x00t")), "not as many as its slices"},
		"another quantizer":      {dictOp(textOp("w"), qtensorOp("(ctorch\nper_tensor_symmetric\nNNt")), "quantized in a way"},
		"packed, not a pair":     {dictOp(textOp("f._packed_params._packed_params"), "N\x85"), "weights and a bias"},
		"packed, of numbers":     {dictOp(textOp("f._packed_params._packed_params"), "K\x01K\x02\x86"), "weights and a bias"},
		"packed, of floats":      {dictOp(textOp("f._packed_params._packed_params"), tensorOp("FloatStorage", 16, 0, tupleOp(2), tupleOp(1))+"N\x86"), "has weights of type float32"},
		"packed, an object":      {dictOp(good, textOp("f._packed_params._packed_params"), "ctorch\nScriptObject\n)\x81"), "only PyTorch reads"},
		"two of one name":        {dictOp(textOp("a.b"), tensorOp("FloatStorage", 16, 0, "(K\x04t", "(K\x01t"), textOp("a"), "}"+textOp("b")+tensorOp("FloatStorage", 16, 0, "(K\x04t", "(K\x01t")+"s"), "two of its tensors"},
		"an object with tensors": {dictOp(textOp("model"), "c__main__\nNet\n)\x81}"+good+"sb"), `holds as "model" a whole object of the class __main__.Net`},
		"an object of many":      {"\x80\x02cx\ny\n)\x81(NNe(NNu(N\x90.", "whole object of the class x.y"},
		"torch.Size":             {dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, "ctorch\nSize\n"+tupleOp(4, 4)+"\x85R", "ctorch\nSize\n)R")), "2 dimensions has 0 strides"},
		"a class":                {"\x80\x02c__main__\nNet\n.", "whole object of the class __main__.Net"},
		"text":                   {"\x80\x02" + textOp("model") + ".", "holds no model"},
		"an empty dict":          {"\x80\x02}.", "no tensors"},
	}
}

// TestCostliest carries out the costliest pickles that scan lets pass: as much of one kind as there can be.
func TestCostliest(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	class := "ccollections\nOrderedDict\nq\x00"
	for name, c := range map[string]struct {
		begin, each string
		cost        int
	}{
		"tuples of a mark": {"", "(t", 5},
		"lists":            {"", "]", 2},
		"dicts":            {"", "}", 3},
		"sets":             {"", "\x8f", 5},
		"frozen sets":      {"", "(\x91", 8},
		"ordered dicts":    {class, "h\x00)R", 8},
		"objects":          {"cx\ny\nq\x00", "h\x00)R", 8},
		"instances":        {"", "(ix\ny\n", 10},
		"classes":          {"", "cx\ny\n", 2},
		"numbers":          {"", "J\x01\x02\x03\x04", 1},
		"integers":         {"", "\x8a\x09" + repeat("\x01", 9), 1},
		"texts":            {"", "U\x01x", 1},
		"more texts":       {"", "U\x1f" + repeat("x", 31), 1},
		"memo":             {"]", "\x94", 1},
		"items":            {"}", "NNs", 4},
		"appended":         {"]", "Na", 2},
		"keys of a dict":   {class + ")R", "F*\nNs", 4},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("\x80\x04" + c.begin)
			for i := range (maxCost - 20) / c.cost {
				if b.Len() > maxPickle-20 {
					break
				}
				b.WriteString(strings.Replace(c.each, "*", fmt.Sprint(i), 1))
			}
			b.WriteString(".")
			var err error
			got := allocated(func() { _, _, err = load([]byte(b.String()), nil) })
			t.Logf("%d bytes, %d MB allocated", b.Len(), got>>20)
			if err != nil || got > maxWork {
				t.Errorf("%v; reading %d bytes allocated %d", err, b.Len(), got)
			}
		})
	}
}

// oftenOp is n items of a mapping, all of them what is noted as 0.
func oftenOp(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(textOp(fmt.Sprint("k", i)) + "h\x00")
	}
	return b.String()
}

// memoBomb nests a mapping so that each level holds the one below three times: 3^levels values in a few bytes.
func memoBomb(innermost string, levels int) string {
	var b strings.Builder
	b.WriteString(innermost + "q\x000")
	for i := range levels {
		fmt.Fprintf(&b, "}q%c(", i+1)
		for _, key := range []string{"a", "b", "c"} {
			fmt.Fprintf(&b, "%sh%c", textOp(key), i)
		}
		b.WriteString("u0")
	}
	fmt.Fprintf(&b, "h%c.", levels)
	return b.String()
}

// allocated returns how many bytes f allocated, whether or not they were freed.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// maxWork is what reading a hostile pickle may allocate in all, stacks that grew and were left counted; it holds less at a time.
const maxWork = 400 << 20

func TestHostilePickles(t *testing.T) {
	for name, c := range hostilePickles() {
		t.Run(name, func(t *testing.T) {
			file := saved(t, c.pickle)
			var err error
			got := allocated(func() { _, err = Read(file) })
			t.Logf("%d bytes, %d allocated: %v", len(file), got, err)
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if err != nil && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 300) {
				t.Errorf("not one clear sentence: %q", err)
			}
			limit := uint64(maxWork)
			if len(file) < 1000 && !strings.Contains(name, "bomb") {
				limit = 1 << 20
			}
			if got > limit {
				t.Errorf("reading %d bytes allocated %d", len(file), got)
			}
			if _, err := ReadList(file); err == nil {
				t.Error("it is read as a vocabulary")
			}
		})
	}
}
