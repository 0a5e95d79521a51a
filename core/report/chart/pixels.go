package chart

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"slices"
)

// maxSide bounds the pictures that Pixels draws.
const maxSide = 256

// Pixels draws side x side bytes, row-major, as a picture whose pixels stay squares however much it is enlarged: 0 is black and 255
// white, or, diverging, 0 is blue, 128 the white middle and 255 orange. The style sheet says how large. Bytes that are missing are 0;
// a side out of bounds draws nothing but the label.
func Pixels(side int, gray []byte, diverging bool, label string) string {
	class := "pixels"
	if diverging {
		class = "pixels signed"
	}
	if side < 1 || side > maxSide {
		return fmt.Sprintf(`<span class="%s" role="img" aria-label="%s"></span>`, class, Escape(label))
	}
	return fmt.Sprintf(`<img class="%s" width="%d" height="%d" alt="%s" src="data:image/png;base64,%s">`,
		class, side, side, Escape(label), base64.StdEncoding.EncodeToString(encode(side, gray, diverging)))
}

// encode writes an uncompressed PNG file. A picture follows every stroke of the pen, and the compressor of the standard library's
// encoder takes more memory than a thousand of these pictures.
func encode(side int, gray []byte, diverging bool) []byte {
	header := binary.BigEndian.AppendUint32(nil, uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	const grayscale, palette = 0, 3
	kind := byte(grayscale)
	if diverging {
		kind = palette
	}
	header = append(header, 8, kind, 0, 0, 0) // bits; deflate, filter by row, not interlaced

	rows := make([]byte, 0, side*(side+1))
	for y := range side {
		rows = append(rows, 0) // no filter
		row := gray[min(y*side, len(gray)):min((y+1)*side, len(gray))]
		rows = append(append(rows, row...), make([]byte, side-len(row))...)
	}

	out := []byte("\x89PNG\r\n\x1a\n")
	out = chunk(out, "IHDR", header)
	if diverging {
		out = chunk(out, "PLTE", divergingPalette())
	}
	out = chunk(out, "IDAT", stored(rows))
	return chunk(out, "IEND", nil)
}

// chunk appends a PNG chunk.
func chunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	begin := len(out)
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[begin:]))
}

// stored wraps data as a zlib stream (RFC 1950) of uncompressed blocks (RFC 1951).
func stored(data []byte) []byte {
	const most = 1<<16 - 1
	out := []byte{0x78, 0x01}
	sum := adler32.Checksum(data)
	for last := false; !last; {
		n := min(len(data), most)
		last = n == len(data)
		final := byte(0)
		if last {
			final = 1
		}
		out = append(out, final, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		out = append(out, data[:n]...)
		data = data[n:]
	}
	return binary.BigEndian.AppendUint32(out, sum)
}

// divergingPalette is 256 colours from blue over white at 128 to orange: between Okabe and Ito's blue and vermilion, which are told
// apart by everyone.
func divergingPalette() []byte {
	blue, white, orange := [3]float64{0, 84, 150}, [3]float64{250, 250, 248}, [3]float64{196, 78, 0}
	out := make([]byte, 0, 3*256)
	for i := range 256 {
		end, share := blue, float64(128-i)/128
		if i > 128 {
			end, share = orange, float64(i-128)/127
		}
		for c := range 3 {
			out = append(out, byte(white[c]+(end[c]-white[c])*share+.5))
		}
	}
	return slices.Clip(out)
}
