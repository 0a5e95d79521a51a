package torch

import (
	"fmt"
	"slices"

	"github.com/nlpodyssey/gopickle/types"
)

// MaxElements bounds the numbers of all of a file's tensors together, those of one storage counted for each tensor.
const MaxElements = 64 << 20

const maxDims = 8

// rebuilders are the functions of torch._utils that make tensors.
var rebuilders = map[string]function{
	"_rebuild_tensor":               rebuildTensor,
	"_rebuild_tensor_v2":            rebuildTensor,
	"_rebuild_tensor_v3":            rebuildTyped,
	"_rebuild_qtensor":              rebuildQuantized,
	"_rebuild_parameter":            rebuildParameter,
	"_rebuild_parameter_with_state": rebuildParameter,
}

// rebuildTensor makes a tensor of a storage, an offset, a shape and strides; what follows is of no use here.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, damaged("a tensor of its pickle lacks its shape")
	}
	s, isStorage := args[0].(*storage)
	offset, isInt := args[1].(int)
	shape, err := ints(args[2])
	if err != nil {
		return nil, err
	}
	stride, err := ints(args[3])
	if err != nil {
		return nil, err
	}
	if _, foreign := args[0].(*object); foreign {
		return nil, fmt.Errorf("the file was written with pickle.dump: save torch.save(model.state_dict(), \"model.pt\") instead")
	}
	if !isStorage || !isInt {
		return nil, damaged("a tensor of its pickle has no numbers")
	}
	t := &Tensor{Shape: shape, DType: s.dtype, storage: s, offset: offset, stride: stride}
	return t, t.fits()
}

// rebuildTyped makes a tensor of a type that has no storages of its own: the storage is of bytes.
func rebuildTyped(args []any) (any, error) {
	if len(args) < 7 {
		return nil, damaged("a tensor of its pickle lacks its type")
	}
	s, isStorage := args[0].(*storage)
	dtype, isType := args[6].(DType)
	if !isStorage || !isType {
		return nil, damaged("a tensor of its pickle has no numbers of a known type")
	}
	typed := &storage{dtype: dtype, count: s.count * itemSizes[s.dtype] / itemSizes[dtype], data: s.data}
	return rebuildTensor(append([]any{typed}, args[1:4]...))
}

// rebuildParameter makes a parameter, which is its tensor here.
func rebuildParameter(args []any) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*Tensor); ok {
			return t, nil
		}
	}
	return nil, damaged("a parameter of its pickle has no tensor")
}

// rebuildQuantized makes a quantized tensor; its fifth argument says how it is quantized.
func rebuildQuantized(args []any) (any, error) {
	v, err := rebuildTensor(args)
	if err != nil {
		return nil, err
	}
	t := v.(*Tensor)
	if len(args) < 5 {
		return nil, damaged("a quantized tensor lacks its scale")
	}
	how, ok := args[4].(*types.Tuple)
	if !ok || how.Len() < 3 {
		return nil, damaged("a quantized tensor lacks its scale")
	}
	switch scheme, _ := how.Get(0).(qscheme); scheme {
	case "per_tensor_affine":
		scale, isFloat := how.Get(1).(float64)
		zero, isInt := how.Get(2).(int)
		if !isFloat || !isInt {
			return nil, damaged("the scale of a quantized tensor is not a number")
		}
		t.grids = &grids{scale: scale, zero: int64(zero), axis: -1}
	case "per_channel_affine", "per_channel_affine_float_qparams":
		scales, isScales := how.Get(1).(*Tensor)
		zeros, isZeros := how.Get(2).(*Tensor)
		if !isScales || !isZeros || how.Len() < 4 {
			return nil, damaged("the scales of a quantized tensor are not tensors")
		}
		axis, isInt := how.Get(3).(int)
		if !isInt || axis < 0 || axis >= len(t.Shape) || scales.Len() != t.Shape[axis] || zeros.Len() != t.Shape[axis] {
			return nil, damaged("the scales of a quantized tensor are not as many as its slices")
		}
		t.grids = &grids{axis: axis, scales: scales, zeros: zeros}
	default:
		return nil, fmt.Errorf("a tensor of the file is quantized in a way that is not read: quantize by torch.per_tensor_affine or torch.per_channel_affine")
	}
	return t, nil
}

// ints returns the elements of a tuple of integers, such as a shape is.
func ints(v any) ([]int, error) {
	tuple, ok := v.(*types.Tuple)
	if !ok || tuple.Len() > maxDims {
		return nil, damaged("the shape of a tensor is not one of at most %d dimensions", maxDims)
	}
	out := make([]int, 0, tuple.Len())
	for _, e := range *tuple {
		n, ok := e.(int)
		if !ok || n < 0 {
			return nil, damaged("the shape of a tensor does not consist of positive numbers")
		}
		out = append(out, n)
	}
	return out, nil
}

// fits reports a tensor that reaches beyond its storage, or is larger than any that is read.
func (t *Tensor) fits() error {
	if len(t.stride) != len(t.Shape) {
		return damaged("a tensor of %d dimensions has %d strides", len(t.Shape), len(t.stride))
	}
	if t.offset < 0 || t.offset > t.storage.count {
		return damaged("a tensor begins beyond its numbers")
	}
	if slices.Contains(t.Shape, 0) {
		// Whatever the other dimensions say, there are no numbers.
		return nil
	}
	n, room := 1, t.storage.count-1-t.offset // how far beyond the first number there are others
	for d, size := range t.Shape {
		if size > MaxElements/n {
			return fmt.Errorf("a tensor of shape %v has more than %d numbers: bring a smaller model", t.Shape, MaxElements)
		}
		n *= size
		if size > 1 && t.stride[d] > 0 {
			if size-1 > room/t.stride[d] {
				return damaged("a tensor of shape %v reaches beyond its numbers", t.Shape)
			}
			room -= (size - 1) * t.stride[d]
		}
	}
	if room < 0 {
		return damaged("a tensor of shape %v reaches beyond its numbers", t.Shape)
	}
	return nil
}
