package main

import (
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
			return renderHardware.write(out, host().Describe())
		},
	}
	cmd.Flags().SortFlags = false
	out.addTo(cmd)
	return cmd
}

var renderHardware = rendering[wire.Hardware]{report.HardwareJSON, report.HardwareCSV, report.HardwareMarkdown, term.RenderHardware}
