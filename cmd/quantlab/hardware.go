package main

import (
	"io"

	"github.com/spf13/cobra"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

const hardwareHelp = `Tell what this machine is, as far as it matters to the measurements: processor,
memory, accelerator, instruction sets, the kernel engines that it can run and the
one in use, and the step of the clock. Everything runs on the CPU.`

func hardwareCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	cmd := &cobra.Command{
		Use:   "hardware",
		Short: "Tell what this machine is",
		Long:  hardwareHelp,
		Args:  arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.resolve(); err != nil {
				return err
			}
			hw := host().Describe()
			return out.write(func(w io.Writer) error { return writeHardware(w, out, hw) })
		},
	}
	cmd.Flags().SortFlags = false
	out.addTo(cmd)
	return cmd
}

func writeHardware(w io.Writer, out *output, hw wire.Hardware) error {
	switch out.format {
	case formatJSON:
		return report.HardwareJSON(w, hw)
	case formatCSV:
		return report.HardwareCSV(w, hw)
	case formatMD:
		return report.HardwareMarkdown(w, hw)
	}
	width, color := out.look()
	return term.RenderHardware(w, hw, width, color)
}
