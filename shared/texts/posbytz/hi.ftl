# PosBytz in Hindi. SMS: one segment of UCS-2, which is 70 characters. With the line "@host #code" only the short text fits.

minutes = { $minutes } मिनट
ignore = आपने नहीं माँगा? इस संदेश पर ध्यान न दें।

sms-code = { $code } { $purpose ->
    [reset_password] नए पासवर्ड का कोड है। { minutes } तक मान्य। किसी को न बताएँ।
   *[other] नंबर की पुष्टि का कोड है। { minutes } तक मान्य। किसी को न बताएँ।
}
    .short = { $code } { $purpose ->
    [reset_password] पासवर्ड कोड ({ minutes })
   *[other] पुष्टि कोड ({ minutes })
}

mail-code-subject = { $purpose ->
    [reset_password] नया पासवर्ड बनाएँ
   *[other] अपने नंबर की पुष्टि करें
}
mail-code-lead = { $code } { $purpose ->
    [reset_password] नया पासवर्ड बनाने के लिए आपका कोड है। यह { minutes } तक मान्य है।
   *[other] अपने नंबर की पुष्टि करने के लिए आपका कोड है। यह { minutes } तक मान्य है।
}
mail-code-note = { ignore }

hours = { $hours ->
    [one] { $hours } घंटे
   *[other] { $hours } घंटों
}
mail-link-subject = अपने ई-मेल पते की पुष्टि करें
mail-link-lead = अपने ई-मेल पते की पुष्टि करने के लिए यह लिंक खोलें:
mail-link-button = अपने ई-मेल पते की पुष्टि करें
mail-link-text-note = यह लिंक केवल एक बार और { hours } तक काम करता है। { ignore }
mail-link-note = यह लिंक केवल एक बार और { hours } तक काम करता है। { ignore }

link-sign-up = साइन अप करें
link-sign-in = साइन इन करें
link-shop = दुकान पर जाएँ
link-help = सहायता

page-more = और
page-confirm = पुष्टि करें
page-ask-heading = अपने पते की पुष्टि करें
page-ask-lead = आपने इस ई-मेल पते से एक दुकान पर साइन अप किया है। यह आप नहीं थे? तो यह पेज बंद कर दें।
page-confirmed-heading = आपके पते की पुष्टि हो गई है
page-confirmed-lead = अब आप दुकान पर वापस जाकर साइन इन कर सकते हैं।
page-already-heading = आपके पते की पुष्टि पहले ही हो चुकी है
page-already-lead = इस लिंक का उपयोग पहले हो चुका है। आप दुकान पर वापस जाकर साइन इन कर सकते हैं।
page-ended-heading = यह लिंक अब काम नहीं करता
page-ended-lead = हो सकता है कि किसी नए ई-मेल में नया लिंक हो। अगर नहीं है, तो दुकान पर वापस जाकर साइन इन करें: आपको नया लिंक मिलेगा। अगर दुकान आपको अब नहीं पहचानती, तो फिर से साइन अप करें।
page-failed-heading = यह नहीं हो सका
page-failed-lead = कृपया थोड़ी देर बाद फिर से कोशिश करें।
