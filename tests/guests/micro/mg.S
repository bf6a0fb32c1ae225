# The micro guests: programs of a sector that behave on the outside like an operating system.
#
# build.py assembles this file once for each kind, with KIND_<kind> defined, and either as a boot
# sector, which the BIOS or a PXE ROM loads to 0x7c00, or, with KERNEL defined, as a Linux kernel
# that never leaves the setup code, which runs in real mode.
        .code16

# Prints a text on the first serial port; the texts are laid behind the code.
        .macro say text
        mov $text\@, %si
        call puts
        .pushsection .text, 1
text\@: .asciz "\text"
        .popsection
        .endm

        .globl _start
_start:
.ifdef KERNEL
# The header that the Linux boot protocol asks for.
        .org 0x1f1
        .byte 7                         # setup sectors: 4 KiB with the first
        .org 0x1fe
        .word 0xaa55
        jmp kernel
        .ascii "HdrS"
        .word 0x0206                    # protocol version
        .long 0                         # realmode_swtch
        .word 0, 0                      # start_sys_seg, kernel_version
        .byte 0xff, 0x81                # type_of_loader, loadflags: LOADED_HIGH, CAN_USE_HEAP
        .word 0x8000                    # setup_move_size
        .long 0x100000                  # code32_start
initrd: .long 0, 0                      # where the loader put the initrd, and its size
        .long 0                         # bootsect_kludge
        .word 0xde00, 0                 # heap_end_ptr, loader versions
cmdline: .long 0                        # where the loader put the command line
        .long 0x7fffffff                # initrd_addr_max
        .org 0x250
kernel: mov %ds, %ax
        mov %ax, %es
        mov $0x8000, %sp
        sti
        cld
        say "MG:cmdline="
        mov cmdline, %eax
        test %eax, %eax
        jz 1f
        push %ds
        mov %eax, %esi
        and $0xf, %si
        shr $4, %eax
        mov %ax, %ds
        call puts
        pop %ds
1:      say "\r\nMG:initrd=0x"
        mov initrd+4, %eax
        call hex_line
.else
        ljmp $0, $begin
begin:  xor %ax, %ax
        mov %ax, %ds
        mov %ax, %es
        mov %ax, %ss
        mov $0x7c00, %sp
        sti
        cld
.endif

.ifdef KIND_hello
        say "MG:hello\r\n"
.endif

.ifdef KIND_reboot
        say "MG:reboot\r\n"
        jmp reboot
.endif

.ifdef KIND_poweroff
        say "MG:poweroff\r\n"
        jmp poweroff
.endif

.ifdef KIND_counter
        call enable_button
        say "MG:up\r\n"
        xor %ebp, %ebp
1:      hlt                             # until the timer, 18.2 times a second
        call obey_button
        inc %ebp
        test $7, %bp
        jnz 1b
        say "MG:c=0x"
        mov %ebp, %eax
        call hex_line
        jmp 1b
.endif

.ifdef KIND_echo
        call enable_button
        say "MG:echo\r\n"
1:      mov $0, %bl                     # whether a line has begun
2:      mov $0x3fd, %dx
        in %dx, %al
        test $1, %al
        jnz 3f
        hlt
        call obey_button
        jmp 2b
3:      mov $0x3f8, %dx
        in %dx, %al
        cmp $'\r', %al
        je 4f
        cmp $'\n', %al
        je 4f
        mov %al, %bh
        test %bl, %bl
        jnz 5f
        say "MG:heard="
5:      mov $1, %bl
        mov %bh, %al
        call putc
        jmp 2b
4:      test %bl, %bl
        jz 2b
        say "\r\n"
        jmp 1b
.endif

.ifdef KIND_panic
        say "MG:panic\r\n"
        mov $0x505, %dx                 # the pvpanic device
        mov $1, %al
        out %al, %dx
.endif

.ifdef KIND_installer
        say "MG:installer\r\n"
        mov $3, %bp                     # attempts
1:      mov $0x0301, %ax                # write one sector,
        mov $0x0001, %cx                # the first one,
        mov $0x0080, %dx                # of the first hard disk
        mov $payload, %bx
        int $0x13
        jnc 2f
        dec %bp
        jnz 1b
        say "MG:disk-error\r\n"
        jmp poweroff
2:      say "MG:installed\r\n"
        jmp reboot
.endif

.ifdef KIND_hang
        say "MG:hang\r\n"
        cli
.endif

.ifdef KIND_triplefault
        say "MG:triplefault\r\n"
        lidt no_interrupts
        int $3
no_interrupts:
        .word 0
        .long 0
.endif

.ifdef KIND_hammer
        say "MG:hammer\r\n"
1:      mov $0x2000, %ax                # above the program, which QEMU loads to 0x10000 as a kernel
        inc %bp                         # another value in each round
2:      mov %ax, %es
        xchg %ax, %bp
        xor %di, %di
        mov $0x8000, %cx
        rep stosw
        xchg %ax, %bp
        add $0x1000, %ax
        cmp $0x9000, %ax
        jb 2b
        jmp 1b
.endif

.ifdef KIND_rtc
        say "MG:clock\r\n"
1:      say "MG:rtc=0x"
        xor %ebx, %ebx
        mov $4, %al                     # hours
        call read_cmos
        mov $2, %al                     # minutes
        call read_cmos
        mov $0, %al                     # seconds
        call read_cmos
        mov %ebx, %eax
        call hex_line
        mov $9, %cx
2:      hlt
        loop 2b
        jmp 1b

read_cmos:                              # shifts register %al of the clock into %ebx
        out %al, $0x70
        in $0x71, %al
        shl $8, %ebx
        mov %al, %bl
        ret
.endif

halt:   hlt
        jmp halt

# Half a second passes before a guest ends, as it does in a real one: as QEMU closes a pseudo
# terminal, Linux drops what nobody has read from it yet.
        .macro linger
        .rept 9
        hlt                             # until the timer
        .endr
        .endm

poweroff:
        linger
        mov $0x604, %dx                 # ACPI PM1 control, where SeaBIOS puts it
        mov $0x2000, %ax
        out %ax, %dx
        jmp halt

reboot: linger
        mov $0xfe, %al
        out %al, $0x64                  # through the keyboard controller
        jmp halt

enable_button:
        mov $0x602, %dx                 # ACPI PM1 enable
        in %dx, %ax
        or $0x100, %ax
        out %ax, %dx
        ret

obey_button:
        mov $0x600, %dx                 # ACPI PM1 status
        in %dx, %ax
        test $0x100, %ax
        jnz 1f
        ret
1:      say "MG:powerbutton\r\n"
        jmp poweroff

hex_line:                               # prints %eax and ends the line
        mov $8, %cx
1:      rol $4, %eax
        push %ax
        and $15, %al
        add $'0', %al
        cmp $'9', %al
        jbe 2f
        add $('a'-'9'-1), %al
2:      call putc
        pop %ax
        loop 1b
        say "\r\n"
        ret

puts:   lodsb
        test %al, %al
        jz 1f
        call putc
        jmp puts
1:      ret

putc:   push %dx
        push %ax
        mov $0x3fd, %dx
1:      in %dx, %al
        test $0x20, %al
        jz 1b
        pop %ax
        mov $0x3f8, %dx
        out %al, %dx
        pop %dx
        ret

# Behind the texts.
        .text 2
.ifdef KIND_installer
.ifdef KERNEL
        .org 0x800
.else
        .org 0x200
.endif
payload: .incbin "payload.bin"
.endif
.ifdef KERNEL
        .org 0x1000
.else
.ifdef KIND_installer
        .org 0x800
.else
        .org 510
        .word 0xaa55
.endif
.endif
