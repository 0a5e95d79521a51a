package kernel

// combineF32 is the portable Engine.combineF32.
func combineF32(y, w []float32, ld int, index []int32, value []float32) {
	n := len(y)
	value = value[:len(index)]
	for len(index) >= 8 && len(value) >= 8 {
		combine8(y,
			w[int(index[0])*ld:][:n], w[int(index[1])*ld:][:n], w[int(index[2])*ld:][:n], w[int(index[3])*ld:][:n],
			w[int(index[4])*ld:][:n], w[int(index[5])*ld:][:n], w[int(index[6])*ld:][:n], w[int(index[7])*ld:][:n],
			(*[8]float32)(value))
		index, value = index[8:], value[8:]
	}
	if len(index) >= 4 && len(value) >= 4 {
		combine4(y,
			w[int(index[0])*ld:][:n], w[int(index[1])*ld:][:n], w[int(index[2])*ld:][:n], w[int(index[3])*ld:][:n],
			(*[4]float32)(value))
		index, value = index[4:], value[4:]
	}
	for k, i := range index {
		combine1(y, w[int(i)*ld:][:n], value[k])
	}
}

// combine8 adds the sum of 8 rows w0 to w7 weighted by v to y, one product after the other; see multiplyAdd8.
func combine8(y, w0, w1, w2, w3, w4, w5, w6, w7 []float32, v *[8]float32) {
	n := len(y)
	w0, w1, w2, w3, w4, w5, w6, w7 = w0[:n], w1[:n], w2[:n], w3[:n], w4[:n], w5[:n], w6[:n], w7[:n]
	v0, v1, v2, v3, v4, v5, v6, v7 := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	for j := range y {
		s := y[j] + float32(v0*w0[j])
		s += float32(v1 * w1[j])
		s += float32(v2 * w2[j])
		s += float32(v3 * w3[j])
		s += float32(v4 * w4[j])
		s += float32(v5 * w5[j])
		s += float32(v6 * w6[j])
		s += float32(v7 * w7[j])
		y[j] = s
	}
}

func combine4(y, w0, w1, w2, w3 []float32, v *[4]float32) {
	n := len(y)
	w0, w1, w2, w3 = w0[:n], w1[:n], w2[:n], w3[:n]
	v0, v1, v2, v3 := v[0], v[1], v[2], v[3]
	for j := range y {
		s := y[j] + float32(v0*w0[j])
		s += float32(v1 * w1[j])
		s += float32(v2 * w2[j])
		s += float32(v3 * w3[j])
		y[j] = s
	}
}

func combine1(y, w []float32, v float32) {
	w = w[:len(y)]
	for j := range y {
		y[j] += float32(v * w[j])
	}
}

// combineF16 is the portable Engine.combineF16.
func combineF16(y []float32, w []uint16, ld int, index []int32, value []float32) {
	n, t := len(y), halves()
	value = value[:len(index)]
	for len(index) >= 4 && len(value) >= 4 {
		t.combine4(y,
			w[int(index[0])*ld:][:n], w[int(index[1])*ld:][:n], w[int(index[2])*ld:][:n], w[int(index[3])*ld:][:n],
			(*[4]float32)(value))
		index, value = index[4:], value[4:]
	}
	for k, i := range index {
		row, v := w[int(i)*ld:][:n], value[k]
		for j := range y {
			y[j] += float32(v * t[row[j]])
		}
	}
}

// combine4 is combine4 of halves.
func (t *halfTable) combine4(y []float32, w0, w1, w2, w3 []uint16, v *[4]float32) {
	n := len(y)
	w0, w1, w2, w3 = w0[:n], w1[:n], w2[:n], w3[:n]
	v0, v1, v2, v3 := v[0], v[1], v[2], v[3]
	for j := range y {
		s := y[j] + float32(v0*t[w0[j]])
		s += float32(v1 * t[w1[j]])
		s += float32(v2 * t[w2[j]])
		s += float32(v3 * t[w3[j]])
		y[j] = s
	}
}

// combineI8 is the portable Engine.combineI8.
func combineI8(acc []int32, w []int8, ld int, index []int32, value []uint8, zero int32) {
	n := len(acc)
	value = value[:len(index)]
	for len(index) >= 4 && len(value) >= 4 {
		w0, w1 := w[int(index[0])*ld:][:n], w[int(index[1])*ld:][:n]
		w2, w3 := w[int(index[2])*ld:][:n], w[int(index[3])*ld:][:n]
		v0, v1, v2, v3 := int32(value[0])-zero, int32(value[1])-zero, int32(value[2])-zero, int32(value[3])-zero
		for j := range acc {
			acc[j] += v0*int32(w0[j]) + v1*int32(w1[j]) + v2*int32(w2[j]) + v3*int32(w3[j])
		}
		index, value = index[4:], value[4:]
	}
	for k, i := range index {
		row, v := w[int(i)*ld:][:n], int32(value[k])-zero
		for j := range acc {
			acc[j] += v * int32(row[j])
		}
	}
}
