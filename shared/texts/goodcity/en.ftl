# GoodCity in English. SMS: one segment of GSM 03.38 with the line "@host #code". Pins are not mailed.

sms-code = { $code } is your { $name } pin. It works for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}. If you did not ask for it, ignore this message.
