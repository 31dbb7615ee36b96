# GoodCity in Chinese, traditional script. SMS: one segment of UCS-2, which is 70 characters. With the line "@host #code"
# only the short text fits.

sms-code = { $code } 是您的 { $name } 驗證碼，{ $minutes } 分鐘內有效。如非您本人要求，請忽略此訊息。
    .short = { $code } { $name } 驗證碼，{ $minutes } 分鐘內有效
