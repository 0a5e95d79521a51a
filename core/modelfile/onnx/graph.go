package onnx

// Field numbers of onnx.proto (package onnx, IR version 8). They never change: the format promises it.
const (
	modelIRVersion       = 1
	modelProducerName    = 2
	modelProducerVersion = 3
	modelDoc             = 6
	modelGraph           = 7
	modelOpsetImport     = 8
	modelMetadata        = 14

	entryKey   = 1 // StringStringEntryProto
	entryValue = 2

	opsetVersion = 2 // OperatorSetIdProto; its domain, field 1, is empty for ONNX's own operators

	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12

	nodeInput     = 1
	nodeOutput    = 2
	nodeName      = 3
	nodeOpType    = 4
	nodeAttribute = 5

	attributeName = 1
	attributeInt  = 3
	attributeType = 20
	attributeInts = 8

	tensorDims     = 1
	tensorDataType = 2
	tensorName     = 8
	tensorRawData  = 9

	valueName = 1 // ValueInfoProto
	valueType = 2
	valueDoc  = 3

	typeTensor       = 1 // TypeProto
	typeTensorElem   = 1 // TypeProto.Tensor
	typeTensorShape  = 2
	shapeDim         = 1 // TensorShapeProto
	dimensionValue   = 1 // TensorShapeProto.Dimension
	dimensionUnknown = 2 // dim_param: a name for what only a call tells
)

// An elementType is a TensorProto.DataType.
type elementType int64

const (
	typeFloat   elementType = 1
	typeUint8   elementType = 2
	typeInt8    elementType = 3
	typeInt32   elementType = 6
	typeFloat16 elementType = 10
)

// AttributeProto.AttributeType
const (
	attributeIsInt  = 2
	attributeIsInts = 7
)

// batch is the dimension of which a call has as many as it likes.
const batch = -1

const batchName = "batch"

// A graph is a GraphProto in the making.
type graph struct {
	nodes, initializers message
	final               string // the node that gives the graph's output
}

// An attribute is an integer, or several, that a node is told.
type attribute struct {
	name string
	ints []int64
	list bool // several, even where there is one
}

func integer(name string, v int64) attribute { return attribute{name: name, ints: []int64{v}} }

func list(name string, v ...int64) attribute { return attribute{name: name, ints: v, list: true} }

func (a attribute) message() (m message) {
	m.text(attributeName, a.name)
	if !a.list {
		m.int(attributeInt, a.ints[0])
		m.int(attributeType, attributeIsInt)
		return m
	}
	for _, v := range a.ints {
		m.int(attributeInts, v)
	}
	m.int(attributeType, attributeIsInts)
	return m
}

// operator adds a node. Without outputs it has one, of the node's name. operator returns the name of the first.
func (g *graph) operator(op, name string, inputs, outputs []string, attributes ...attribute) string {
	if outputs == nil {
		outputs = []string{name}
	}
	if name == g.final {
		outputs = []string{outputName}
	}
	var m message
	for _, v := range inputs {
		m.text(nodeInput, v)
	}
	for _, v := range outputs {
		m.text(nodeOutput, v)
	}
	m.text(nodeName, name)
	m.text(nodeOpType, op)
	for _, a := range attributes {
		m.message(nodeAttribute, a.message())
	}
	g.nodes.message(graphNode, m)
	return outputs[0]
}

// initializer adds a tensor that the file holds, and returns its name. No dims make a scalar.
func (g *graph) initializer(name string, t elementType, v numbers, dims ...int) string {
	var m message
	for _, d := range dims {
		m.int(tensorDims, int64(d))
	}
	m.int(tensorDataType, int64(t))
	m.text(tensorName, name)
	m.numbers(tensorRawData, v)
	g.initializers.message(graphInitializer, m)
	return name
}

// value describes a tensor that is computed, or given.
func value(name, doc string, t elementType, dims ...int) (m message) {
	var shape message
	for _, d := range dims {
		var dim message
		if d == batch {
			dim.text(dimensionUnknown, batchName)
		} else {
			dim.int(dimensionValue, int64(d))
		}
		shape.message(shapeDim, dim)
	}
	var tensor, kind message
	tensor.int(typeTensorElem, int64(t))
	tensor.message(typeTensorShape, shape)
	kind.message(typeTensor, tensor)
	m.text(valueName, name)
	m.message(valueType, kind)
	if doc != "" {
		m.text(valueDoc, doc)
	}
	return m
}
